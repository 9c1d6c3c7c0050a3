"""The corpora that a configuration names, as documents by split."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from annotations.check import check_document
from annotations.corpus import read_path, read_texts
from annotations.document import Document
from annotations.formats.reading import Place
from annotations.problems import CorpusError, Problem
from pipeline.config import CONFIGS, InputError

SPLITS = ("train", "development", "test")


@dataclass
class CorpusSettings:
    """Where a corpus lies, and which of its files belong to which split. One file in configs/corpus."""

    path: str  # folder; relative ones are looked for here, then in the installed package
    train: list[str] = field(default_factory=list)  # file names
    development: list[str] = field(default_factory=list)
    test: list[str] = field(default_factory=list)
    texts: str | None = None  # folder with the texts of a stand-off corpus

    def read(self) -> Corpus:
        """Every document of every split. Raises InputError with all problems of all files."""
        folder = locate(self.path)
        texts = read_texts(_folder(self.texts)) if self.texts else {}
        parts: dict[str, tuple[Document, ...]] = {}
        problems: list[Problem] = []
        for split in SPLITS:
            documents: list[Document] = []
            for name in getattr(self, split):
                file = folder / name
                if not file.is_file():
                    raise InputError(f"{file}: no such file")
                for path, reading in read_path(file, texts):
                    problems += [problem for problem in reading.problems if not problem.hint]
                    for document, line in zip(reading.documents, reading.lines, strict=True):
                        place = Place(str(path), line)
                        problems += [p for p in check_document(document, place) if not p.hint]
                        documents.append(document)
            parts[split] = tuple(documents)
        if problems:
            raise InputError(str(CorpusError(problems)))
        return Corpus(**parts)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Annotated documents by split."""

    train: tuple[Document, ...] = ()
    development: tuple[Document, ...] = ()
    test: tuple[Document, ...] = ()

    def __add__(self, other: Corpus) -> Corpus:
        return Corpus(
            self.train + other.train,
            self.development + other.development,
            self.test + other.test,
        )


def locate(path: str) -> Path:
    """A path as given, or, where nothing is there, as a part of the installed package."""
    given = Path(path)
    return given if given.exists() else CONFIGS.parent / path


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise InputError(f"articles={path}: no such folder; it should hold the articles' .txt files")
    return Path(path)
