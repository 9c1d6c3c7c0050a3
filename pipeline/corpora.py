"""The corpora that a configuration names, as documents by split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from annotations.check import check_document
from annotations.corpus import FOREIGN, read_path, read_texts
from annotations.document import Document, text_sha256
from annotations.formats.reading import Place
from annotations.problems import CorpusError, Problem
from annotations.schemes import LABELS, OWN, check_labels
from pipeline.config import CONFIGS, InputError

SPLITS = ("train", "development", "test")


@dataclass
class CorpusSettings:
    """Where a corpus lies, and which of its files belong to which split. One file in configs/corpus."""

    path: str  # folder; relative ones are looked for here, then in the installed package
    train: list[str] = field(default_factory=list)  # names of files, or of folders
    development: list[str] = field(default_factory=list)
    test: list[str] = field(default_factory=list)
    texts: str | None = None  # folder with the texts of a stand-off corpus
    format: str | None = None  # a name in annotations.corpus.FOREIGN; None: as the suffix says
    scheme: str = OWN  # whose labels: a name in annotations.schemes.LABELS

    def read(self) -> Corpus:
        """Every document of every split. Raises InputError with all problems of all files."""
        _require_name("format", self.format, FOREIGN)
        _require_name("scheme", self.scheme, LABELS)
        folder = locate(self.path)
        texts = read_texts(_folder(self.texts)) if self.texts else {}
        parts: dict[str, tuple[Document, ...]] = {}
        problems: list[Problem] = []
        for split in SPLITS:
            documents: list[Document] = []
            for name in getattr(self, split):
                file = folder / name
                if not file.exists():
                    remedy = "" if self.scheme == OWN else "; labelled=DIR names the folder of the corpora"
                    raise InputError(f"{file}: no such file{remedy}")
                for path, reading in read_path(file, texts, self.format):
                    problems += [problem for problem in reading.problems if not problem.hint]
                    for document, line in zip(reading.documents, reading.lines, strict=True):
                        place = Place(str(path), line)
                        problems += [p for p in self._check(document, place) if not p.hint]
                        documents.append(document)
            parts[split] = tuple(documents)
        if problems:
            raise InputError(str(CorpusError(problems)))
        return Corpus(**parts)

    def _check(self, document: Document, place: Place) -> Iterator[Problem]:
        if document.annotation is None:
            remedy = "Annotate it, or take it out: nothing can be learned from it or scored."
            yield place.problem(f"{document.id!r} has no annotation", remedy)
        elif self.scheme == OWN:
            yield from check_document(document, place)
        else:
            yield from check_labels(document, self.scheme, place)


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

    def without_leaks(self) -> Corpus:
        """Without those documents of train and development whose text stands in test."""
        test = {text_sha256(document.text) for document in self.test}
        train, development = (
            tuple(document for document in part if text_sha256(document.text) not in test)
            for part in (self.train, self.development)
        )
        return Corpus(train, development, self.test)


def locate(path: str) -> Path:
    """A path as given, or, where nothing is there, as a part of the installed package."""
    given = Path(path)
    return given if given.exists() else CONFIGS.parent / path


def _require_name(key: str, name: str | None, names: Iterable[str]) -> None:
    if name is not None and name not in names:
        raise InputError(f"{key}={name}: expected one of {', '.join(names)}")


def _folder(path: str) -> Path:
    if not Path(path).is_dir():
        raise InputError(f"articles={path}: no such folder; it should hold the articles' .txt files")
    return Path(path)
