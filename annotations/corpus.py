"""Files and folders of annotated documents, whatever their format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from annotations.document import Document, text_sha256
from annotations.formats import inline, jsonl
from annotations.formats.reading import Place, Reading
from annotations.problems import Problem

Reader = Callable[[Path, Mapping[str, str]], Reading]

FORMATS: dict[str, Reader] = {
    jsonl.SUFFIX: jsonl.read_jsonl,
    inline.SUFFIX: lambda path, _: inline.read_inline(path),
}


def read_path(path: Path, texts: Mapping[str, str]) -> Iterator[tuple[Path, Reading]]:
    """Each annotated file of a folder (or the one file), in order of name, as it was read."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in files:
        if file.suffix in FORMATS:
            try:
                yield file, FORMATS[file.suffix](file, texts)
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
    """The texts of a folder's ``.txt`` files by their SHA-256, exactly as they stand in the file."""
    texts = (file.read_bytes().decode("utf-8") for file in sorted(folder.glob("*.txt")))
    return {text_sha256(text): text for text in texts}
