"""The values that everything else speaks of: Document, Mention, Relation, Annotation.

All of them are frozen, and equality means what strict scoring means: two mentions are equal when
their offsets and their label are; scores, countries and modalities are no part of identity, so that
``set(gold.mentions) & set(predicted.mentions)`` is strict matching.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


def text_sha256(text: str) -> str:
    """The fingerprint by which a stand-off annotation names its text: SHA-256 of the UTF-8 bytes.

    Raises UnicodeEncodeError for text that holds a lone surrogate: such text has no UTF-8 form.
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """A labelled span of a document's text, in Unicode code points, half-open."""

    start: int
    end: int
    label: str
    score: float = field(default=1.0, compare=False)
    country: str | None = field(default=None, compare=False)  # ISO 3166-1 alpha-3

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"mention [{self.start}, {self.end}) is no span; expected 0 <= start < end")
        if not self.label:
            raise ValueError(f"mention [{self.start}, {self.end}) has no label")

    def holds(self, other: Mention) -> bool:
        """Whether the other span lies strictly inside this one."""
        return (
            self.start <= other.start
            and other.end <= self.end
            and (self.end - self.start) > (other.end - other.start)
        )

    def overlaps(self, other: Mention) -> bool:
        """Whether the two spans share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """A directed, labelled pair of mentions, with how the text stands behind it."""

    head: Mention
    tail: Mention
    label: str
    modality: str = field(default="asserted", compare=False)
    source: Mention | None = field(default=None, compare=False)
    time: Mention | None = field(default=None, compare=False)
    place: Mention | None = field(default=None, compare=False)
    score: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        if self.head == self.tail:
            raise ValueError(f"relation {self.label} joins {self.head} to itself")
        if not self.label:
            raise ValueError(f"relation between {self.head} and {self.tail} has no label")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One reading of one text, by a person or by a model: the same type for both."""

    mentions: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()

    def layers(self) -> tuple[tuple[Mention, ...], tuple[Mention, ...]]:
        """The outer and the inner mentions, each in order of the text."""
        outer: list[Mention] = []
        inner: list[Mention] = []
        for mention in sorted(self.mentions, key=lambda m: (m.start, -m.end, m.label)):
            # Sorted by start, longest first: only the last outer mention can hold this one.
            (inner if outer and outer[-1].holds(mention) else outer).append(mention)
        return tuple(outer), tuple(inner)


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its name, and what one reading says of it.

    ``annotation`` is None where nobody looked, and ``Annotation()`` where somebody looked and found nothing.
    """

    id: str
    text: str
    language: str = "de"  # ISO 639-1
    date: str | None = None  # of publication, ISO 8601
    meta: Mapping[str, str] = field(default_factory=dict, compare=False)
    annotation: Annotation | None = None

    def surface(self, mention: Mention) -> str:
        """The characters of a mention."""
        return self.text[mention.start : mention.end]
