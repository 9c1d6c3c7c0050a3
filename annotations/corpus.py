"""Files and folders of annotated documents, whatever their format."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from annotations.document import Document, text_sha256
from annotations.formats import germeval, inline, jsonl, smartdata, wikiwars
from annotations.formats.reading import Place, Reading
from annotations.problems import Problem

Reader = Callable[[Path, Mapping[str, str]], Reading]

# Our own formats, known by their suffixes.
FORMATS: dict[str, Reader] = {
    jsonl.SUFFIX: jsonl.read_jsonl,
    inline.SUFFIX: lambda path, _: inline.read_inline(path),
}
# Formats of other corpora, known by name alone: their suffixes say nothing.
FOREIGN: dict[str, Reader] = {
    "germeval": lambda path, _: germeval.read_germeval(path),
    "smartdata": lambda path, _: smartdata.read_smartdata(path),
    "wikiwars": lambda path, _: wikiwars.read_wikiwars(path),
}


def read_path(
    path: Path, texts: Mapping[str, str], form: str | None = None
) -> Iterator[tuple[Path, Reading]]:
    """Each annotated file of a folder (or the one file), in order of name, as it was read.

    ``form``: a name in FOREIGN, in which every file is read; None: what each file's suffix says.
    """
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in files:
        read = FORMATS.get(file.suffix) if form is None else FOREIGN[form]
        if read is None or file.name.startswith(".") or file.is_dir():
            continue
        try:
            yield file, read(file, texts)
        except UnicodeDecodeError as error:
            problem = Place(str(file), 1).problem(f"the file is no UTF-8: {error.reason}")
            yield file, Reading(problems=(problem,))


def read_corpus(path: Path, texts: Mapping[str, str]) -> tuple[Document, ...]:
    """All documents of a file or folder. Raises CorpusError with every problem of every file."""
    documents: list[Document] = []
    lines: list[int] = []
    problems: list[Problem] = []
    for _, reading in read_path(path, texts):
        documents.extend(reading.documents)
        lines.extend(reading.lines)
        problems.extend(reading.problems)
    return Reading(tuple(documents), tuple(lines), tuple(problems)).checked()


def read_texts(folder: Path) -> dict[str, str]:
    """The texts of a folder's ``.txt`` files by their SHA-256, exactly as they stand in the file.

    A file that is no UTF-8 is nobody's text and left out: an annotation that names it says so itself.
    """
    texts: dict[str, str] = {}
    for file in sorted(folder.glob("*.txt")):
        if file.is_file():
            with contextlib.suppress(UnicodeDecodeError):
                text = file.read_bytes().decode("utf-8")
                texts[text_sha256(text)] = text
    return texts
