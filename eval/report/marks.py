"""The marks of a text, nested as they lie in it, and what each of them is to the other reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from annotations.document import Annotation, Document, Mention

HIT, LABEL, BOUNDARY, ALONE = "hit", "label", "boundary", "alone"


@dataclass
class Mark:
    """A mention in a text with what lies in it: characters, and marks inside it."""

    mention: Mention
    status: str
    words: str  # for the reader who points at it
    parts: list[str | Mark] = field(default_factory=list)


def status_of(mention: Mention, other: Annotation) -> tuple[str, str]:
    """What the other reading says of a mention: the status, and the words for it."""
    if mention in other.mentions:
        return HIT, "both readings agree"
    for there in other.mentions:
        if (there.start, there.end) == (mention.start, mention.end):
            return LABEL, f"the other reading says {there.label}"
    for there in other.mentions:
        if there.label == mention.label and there.overlaps(mention):
            return BOUNDARY, "the other reading has another border"
    return ALONE, "the other reading has nothing here"


def marked(document: Document, annotation: Annotation, other: Annotation) -> list[str | Mark]:
    """The text as characters and marks. A mention that crosses another one is left to be listed."""
    nested, _ = nest(annotation.mentions)
    return list(_parts(document.text, nested, other, 0, len(document.text)))


def nest(mentions: Sequence[Mention]) -> tuple[list[Mention], list[Mention]]:
    """The mentions that nest, in order of the text, outer first; and those that cross one of them."""
    kept: list[Mention] = []
    crossing: list[Mention] = []
    open_: list[Mention] = []
    for mention in sorted(set(mentions), key=lambda m: (m.start, -m.end, m.label)):
        while open_ and open_[-1].end <= mention.start:
            open_.pop()
        if open_ and mention.end > open_[-1].end:
            crossing.append(mention)
        else:
            kept.append(mention)
            open_.append(mention)
    return kept, crossing


def _parts(
    text: str, mentions: Sequence[Mention], other: Annotation, start: int, end: int
) -> Iterator[str | Mark]:
    position, index = start, 0
    while index < len(mentions):
        mention = mentions[index]
        index += 1
        inside = index
        while inside < len(mentions) and mentions[inside].start < mention.end:
            inside += 1
        if position < mention.start:
            yield text[position : mention.start]
        within = list(_parts(text, mentions[index:inside], other, mention.start, mention.end))
        yield Mark(mention, *status_of(mention, other), within)
        position, index = mention.end, inside
    if position < end:
        yield text[position:end]
