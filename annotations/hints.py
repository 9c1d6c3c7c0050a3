"""What looks forgotten in an annotated document: no error, but worth a second look."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from annotations import scheme
from annotations.document import Annotation, Document, Mention

_NAMES = frozenset({"PER", "GPE", "ORG"})
_NUMBER = re.compile(
    r"\b(?:\d[\d.  ]*|hunderte?|tausende?|dutzende?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn"
    r"|zwölf|zwanzig|dreißig|fünfzig|hundert|tausend)\s+\Z",
    re.IGNORECASE,
)
_CUES = re.compile(
    r"\b(?:warf|werfen|wirft|beschuldig\w+|verurteil\w+|traf(?:en)?|liefert\w*|unterstütz\w+|griff\w*"
    r"|forder\w+|sanktionier\w+|bestritt\w*|bestreite\w*|entsandt\w*|entsende\w*)\b"
)


def find_hints(document: Document) -> Iterator[str]:
    """A sentence for each thing that looks forgotten."""
    if document.annotation is None:
        return
    yield from _unmarked_names(document, document.annotation)
    yield from _unmarked_numbers(document, document.annotation)
    yield from _loose_inner(document, document.annotation)
    yield from _loose_roles(document, document.annotation)
    yield from _silent_cues(document, document.annotation)


def _unmarked_names(document: Document, annotation: Annotation) -> Iterator[str]:
    surfaces = {document.surface(m): m.label for m in annotation.mentions if m.label in _NAMES}
    for surface, label in sorted(surfaces.items()):
        if len(surface) < 3:
            continue
        for match in re.finditer(rf"(?<!\w){re.escape(surface)}(?!\w)", document.text):
            if not any(m.start < match.end() and match.start() < m.end for m in annotation.mentions):
                yield f"{surface!r} is {label} elsewhere, but unmarked at {match.start()}"


def _unmarked_numbers(document: Document, annotation: Annotation) -> Iterator[str]:
    counted = {relation.head for relation in annotation.relations if relation.label == "HAS_QUANTITY"}
    ends = {mention.end for mention in annotation.mentions}
    for mention in annotation.mentions:
        if mention.label not in {"MIL", "WEAPON"} or mention in counted:
            continue
        before = document.text[max(0, mention.start - 30) : mention.start]
        number = _NUMBER.search(before)
        end = mention.start - (len(before) - len(before.rstrip()))
        if number and end not in ends:
            yield f"a number stands before {document.surface(mention)!r} and is no QUANT"


def _loose_inner(document: Document, annotation: Annotation) -> Iterator[str]:
    outer, inner = annotation.layers()
    joined = {frozenset((r.head, r.tail)) for r in annotation.relations}
    for mention in inner:
        around = next((m for m in outer if m.holds(mention)), None)
        if around is None or around.label == "ROLE":
            continue  # a person's affiliation starts at the name, not at the title
        if frozenset((around, mention)) not in joined:
            yield (
                f"no relation joins {around.label} {document.surface(around)!r} "
                f"and its inner {mention.label} {document.surface(mention)!r}"
            )


def _loose_roles(document: Document, annotation: Annotation) -> Iterator[str]:
    outer, _ = annotation.layers()
    titled = {relation.head for relation in annotation.relations if relation.label == "HAS_ROLE"}
    for first, second in itertools.pairwise(outer):
        between = document.text[first.end : second.start]
        if first.label == "ROLE" and second.label == "PER" and between == " " and second not in titled:
            yield f"{document.surface(second)!r} follows a ROLE and has no HAS_ROLE"


def _silent_cues(document: Document, annotation: Annotation) -> Iterator[str]:
    dynamic = [r for r in annotation.relations if r.label in scheme.ACTOR_RELATIONS]
    for sentence in re.finditer(r"[^.!?\n]+[.!?\n]?", document.text):
        cue = _CUES.search(sentence.group())
        inside = [m for m in annotation.mentions if _within(m, sentence) and m.label in scheme.ACTOR]
        if cue and len(inside) > 1 and not any(_within(r.head, sentence) for r in dynamic):
            yield f"{cue.group()!r} at {sentence.start() + cue.start()} with no relation between actors"


def _within(mention: Mention, sentence: re.Match[str]) -> bool:
    return sentence.start() <= mention.start and mention.end <= sentence.end()
