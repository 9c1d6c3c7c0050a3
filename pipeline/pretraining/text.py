"""Plain text for pretraining: compressed files of documents, and which of them are held out."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import InputError


def source_path(corpora: str, name: str) -> Path:
    """The file of a source. Raises InputError where there is none."""
    path = Path(corpora) / "text" / f"{name}.txt.xz"
    if not path.is_file():
        raise InputError(f"{path}: no such file; corpora=DIR is the folder with text/{name}.txt.xz")
    return path


def documents(path: Path) -> Iterator[str]:
    """The documents of a file: a paragraph a line, an empty line between documents."""
    paragraphs: list[str] = []
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            paragraph = line.rstrip("\n")
            if paragraph:
                paragraphs.append(paragraph)
            elif paragraphs:
                yield "\n".join(paragraphs)
                paragraphs = []
    if paragraphs:
        yield "\n".join(paragraphs)


def is_held_out(document: str, share: float) -> bool:
    """Whether a document is kept for evaluation: by its text alone, whatever stands around it."""
    return _fraction(document, b"held out") < share


def is_sampled(document: str, share: float) -> bool:
    """Whether a document is in a sample of the given share, independently of being held out."""
    return _fraction(document, b"sample") < share


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fraction(document: str, purpose: bytes) -> float:
    name = hashlib.blake2b(document.encode(), digest_size=8, person=purpose)
    return int.from_bytes(name.digest(), "big") / 2**64
