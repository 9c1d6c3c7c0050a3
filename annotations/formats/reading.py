"""What a reader gives back, and the raw entries that every format turns into an Annotation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from annotations.problems import CorpusError, Problem


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents of a file, the line each stands in, and everything that is wrong with the rest."""

    documents: tuple[Document, ...] = ()
    lines: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()

    def checked(self) -> tuple[Document, ...]:
        """The documents. Raises CorpusError with all problems if there is one that is no hint."""
        errors = [problem for problem in self.problems if not problem.hint]
        if errors:
            raise CorpusError(errors)
        return self.documents


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file we are: turns a sentence into a Problem."""

    path: str
    line: int

    def problem(self, what: str, remedy: str = "", *, hint: bool = False) -> Problem:
        return Problem(self.path, self.line, what, remedy, hint)


@dataclass(frozen=True, slots=True)
class RawRelation:
    """A relation whose arguments are still names of mentions."""

    name: str
    label: str
    head: str
    tail: str
    modality: str = "asserted"
    source: str | None = None
    time: str | None = None
    place: str | None = None
    score: float = 1.0


def build_relations(
    raws: Sequence[tuple[RawRelation, Place]], mentions: Mapping[str, Mention]
) -> tuple[list[Relation], list[Problem]]:
    """Relations whose arguments exist, and a problem for each that does not hold together.

    A relation that stands twice is one, too: its modality and its arguments may differ.
    """
    relations: list[Relation] = []
    problems: list[Problem] = []
    names: dict[Relation, str] = {}
    for raw, place in raws:
        found = _problems_of(raw, mentions, place)
        problems.extend(found)
        if found:
            continue
        relation = Relation(
            mentions[raw.head],
            mentions[raw.tail],
            raw.label,
            modality=raw.modality,
            source=mentions[raw.source] if raw.source else None,
            time=mentions[raw.time] if raw.time else None,
            place=mentions[raw.place] if raw.place else None,
            score=raw.score,
        )
        first = names.setdefault(scheme.canonical(relation), raw.name)
        if len(names) == len(relations):
            what = f"relation {raw.name} says again what relation {first} says"
            problems.append(place.problem(what, "Keep one."))
            continue
        relations.append(relation)
    return relations, problems


def _problems_of(raw: RawRelation, mentions: Mapping[str, Mention], place: Place) -> list[Problem]:
    problems: list[Problem] = []
    named = {
        "head": raw.head,
        "tail": raw.tail,
        "source": raw.source,
        "time": raw.time,
        "place": raw.place,
    }
    for argument, name in named.items():
        if name is not None and name not in mentions:
            problems.append(
                place.problem(
                    f"relation {raw.name} has {argument} {name!r}, which is no entity of this document",
                    "Correct the id, or add the entity.",
                )
            )
    if raw.label not in scheme.RELATIONS:
        problems.append(
            place.problem(
                f"relation {raw.name} has the unknown label {raw.label!r}",
                f"Use one of {', '.join(scheme.RELATION_LABELS)}.",
            )
        )
    if raw.modality not in scheme.MODALITIES:
        problems.append(
            place.problem(
                f"relation {raw.name} has the unknown modality {raw.modality!r}",
                f"Use one of {', '.join(scheme.MODALITIES)}.",
            )
        )
    if not problems and mentions[raw.head] == mentions[raw.tail]:
        problems.append(place.problem(f"relation {raw.name} joins {raw.head} to itself", "Correct the tail."))
    return problems


def file_name(name: str) -> str:
    """The id of a document as the name of a file: one that is not hidden, in the folder that it is put in."""
    plain = "".join(c if c.isalnum() or c in "-_.%" else "_" for c in name)
    return f"_{plain}" if plain.startswith(".") else plain


def write_whole(path: Path, data: bytes) -> None:
    """Write beside, then rename: a reader sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def build_document(head: Document, mentions: Sequence[Mention], relations: Sequence[Relation]) -> Document:
    """The document with an annotation in canonical order."""
    annotation = Annotation(
        tuple(sorted(set(mentions))),
        tuple(sorted({scheme.canonical(relation) for relation in relations})),
    )
    return Document(head.id, head.text, head.language, head.date, head.meta, annotation)
