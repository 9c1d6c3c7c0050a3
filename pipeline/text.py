"""Files to documents: whatever the user points at, or a typed reason why one document is set aside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from annotations import check
from annotations.corpus import FORMATS
from annotations.document import Document
from annotations.formats import jsonl
from annotations.formats.reading import Place
from pipeline.config import InputError

TEXT_SUFFIX = ".txt"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A document that was set aside: where it stood, why in one word, and why in a sentence."""

    path: str
    line: int
    reason: str  # invalid_utf8, empty, invalid_record, duplicate_id, or failed
    detail: str
    id: str | None = None


Read = Document | Rejected


def read_input(path: Path, texts: Mapping[str, str], language: str = "de") -> Iterator[Read]:
    """Every document of a text file, a folder, or an annotated file, in order of name and line.

    Raises InputError where the path is missing, of an unknown kind, or a folder without documents.
    """
    seen: set[str] = set()
    for file in _files(path):
        for line, item in _read_file(file, texts, language):
            if isinstance(item, Rejected):
                yield item
            elif not item.text.strip():
                yield Rejected(_utf8(file), line, "empty", "nothing but white space", item.id)
            elif item.id in seen:
                detail = f"another document is called {item.id!r}"
                yield Rejected(_utf8(file), line, "duplicate_id", detail, item.id)
            else:
                seen.add(item.id)
                yield item


def count_documents(path: Path) -> int:
    """How many documents there are to read, for a progress bar. Raises InputError like read_input."""
    return sum(
        sum(1 for _ in jsonl.raw_lines(file)) if file.suffix == jsonl.SUFFIX else 1 for file in _files(path)
    )


def _files(path: Path) -> list[Path]:
    known = (TEXT_SUFFIX, *FORMATS)
    if path.is_dir():
        files = sorted(
            file
            for file in path.iterdir()
            if file.suffix in known and not file.name.startswith(".") and not file.is_dir()
        )
        if not files:
            raise InputError(f"{path}: holds no document; expected files ending in {', '.join(known)}")
        return files
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    if path.suffix not in known:
        raise InputError(f"{path}: unknown kind of file; expected one ending in {', '.join(known)}")
    return [path]


def _utf8(path: Path | str) -> str:
    """The name of a file, which may be any bytes, as text that every output can hold."""
    return os.fsencode(path).decode("utf-8", "replace")


def _read_file(file: Path, texts: Mapping[str, str], language: str) -> Iterator[tuple[int, Read]]:
    if file.suffix == TEXT_SUFFIX:
        yield 1, _read_text(file, language)
    elif file.suffix == jsonl.SUFFIX:
        yield from _read_lines(file, texts)
    else:
        yield from _read_marked(file, texts)


def _read_text(file: Path, language: str) -> Read:
    try:
        return Document(_utf8(file.stem), file.read_bytes().decode("utf-8"), language)
    except UnicodeDecodeError as error:
        detail = f"byte {error.start} of {_utf8(file.name)} is no UTF-8: {error.reason}"
        return Rejected(_utf8(file), 1, "invalid_utf8", detail, _utf8(file.stem))


def _read_lines(file: Path, texts: Mapping[str, str]) -> Iterator[tuple[int, Read]]:
    # One line at a time: a corpus may be larger than memory.
    for number, raw in jsonl.raw_lines(file):
        place = Place(_utf8(file), number)
        document, problems = jsonl.parse_line(raw, place, texts)
        if document is not None:
            problems = [p for p in check.check_document(document, place) if not p.hint]
        if problems or document is None:
            detail = "\n".join(str(problem) for problem in problems)
            reason = "invalid_record" if _is_utf8(raw) else "invalid_utf8"
            name = document.id if document else None
            yield number, Rejected(place.path, number, reason, detail, name)
        else:
            yield number, document


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_marked(file: Path, texts: Mapping[str, str]) -> Iterator[tuple[int, Read]]:
    try:
        reading = FORMATS[file.suffix](file, texts)
    except UnicodeDecodeError as error:
        yield 1, Rejected(_utf8(file), 1, "invalid_utf8", f"{_utf8(file.name)} is no UTF-8: {error.reason}")
        return
    problems = [problem for problem in reading.problems if not problem.hint]
    for document, line in zip(reading.documents, reading.lines, strict=True):
        problems += [p for p in check.check_document(document, Place(str(file), line)) if not p.hint]
    if problems:
        detail = _utf8("\n".join(str(problem) for problem in problems))
        yield problems[0].line, Rejected(_utf8(file), problems[0].line, "invalid_record", detail)
    else:
        yield from zip(reading.lines, reading.documents, strict=True)
