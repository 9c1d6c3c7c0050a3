"""What needs no model: a gazetteer with rules for mentions, majorities for relations.

Printed beside every model. They learn from the same training documents, by counting.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from pipeline import segments

_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
_DAYS = "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonnabend|Sonntag"
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}\. (?:{_MONTHS})(?: \d{{4}})?|(?:{_MONTHS})(?: \d{{4}})?|(?:{_DAYS})|(?:19|20)\d\d)\b"
)
_NUMBER = (
    r"(?:\d{1,3}(?:[.\u00a0\u202f ]\d{3})+|\d+(?:,\d+)?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn"
    r"|elf|zwölf|hunderte?|tausende?|dutzende?)"
)
_QUANT = re.compile(
    rf"\b(?:(?:rund|etwa|bis zu|mehr als|knapp|mindestens|ungefähr|fast) )?{_NUMBER}(?:\s?%| Prozent)?(?!\w)",
    re.IGNORECASE,
)
_LONGEST = 6  # words of a gazetteer entry


@dataclass(frozen=True, slots=True)
class Baseline:
    """Counts of a training corpus, ready to read."""

    outer: dict[str, str]  # surface → its commonest outer label
    inner: dict[tuple[str, str, str], str]  # outer label, outer surface, inner surface → label
    pairs: dict[tuple[str, str], str]  # labels of two mentions → the commonest relation between such
    modality: dict[str, str]  # relation → its commonest modality

    def annotate(self, document: Document) -> Annotation:
        """Mentions by gazetteer and rules; relations by majority between nearest allowed pairs."""
        return self.relate(document, self._mentions(document))

    def relate(self, document: Document, mentions: Sequence[Mention]) -> Annotation:
        """The majority relation between each mention and the nearest one that it goes with."""
        borders = segments.sentences(document.text, document.language)
        sentence = borders.searchsorted([m.start for m in sorted(mentions)], side="right").tolist()
        ordered = sorted(mentions)
        relations: set[Relation] = set()
        for number, head in enumerate(ordered):
            near: dict[str, tuple[int, Mention, str]] = {}
            for other, tail in enumerate(ordered):
                label = self.pairs.get((head.label, tail.label))
                if other == number or sentence[other] != sentence[number] or label is None:
                    continue
                distance = max(tail.start - head.end, head.start - tail.end, 0)
                if tail.label not in near or distance < near[tail.label][0]:
                    near[tail.label] = (distance, tail, label)
            for _, tail, label in near.values():
                modality = self.modality.get(label, scheme.MODALITIES[0])
                relations.add(scheme.canonical(Relation(head, tail, label, modality=modality)))
        return Annotation(tuple(ordered), tuple(sorted(relations)))

    def _mentions(self, document: Document) -> list[Mention]:
        text = document.text
        starts, ends = (column.tolist() for column in segments.words(text))
        mentions: list[Mention] = []
        position = 0
        rules = {match.start(): (match.end(), "DATE") for match in _DATE.finditer(text)}
        for match in _QUANT.finditer(text):
            rules.setdefault(match.start(), (match.end(), "QUANT"))
        while position < len(starts):
            span = self._entry(text, starts, ends, position)
            if span is None and starts[position] in rules:
                span = rules[starts[position]]
            if span is None:
                position += 1
                continue
            mention = Mention(starts[position], span[0], span[1])
            mentions.append(mention)
            mentions.extend(self._inside(text, mention))
            while position < len(starts) and starts[position] < mention.end:
                position += 1
        return mentions

    def _entry(self, text: str, starts: list[int], ends: list[int], position: int) -> tuple[int, str] | None:
        for length in range(min(_LONGEST, len(starts) - position), 0, -1):
            end = ends[position + length - 1]
            label = self.outer.get(text[starts[position] : end])
            if label:
                return end, label
        return None

    def _inside(self, text: str, mention: Mention) -> Iterator[Mention]:
        surface = text[mention.start : mention.end]
        for (label, outer, inner), inner_label in self.inner.items():
            if label == mention.label and outer == surface:
                start = mention.start + surface.index(inner)
                yield Mention(start, start + len(inner), inner_label)


def learn(documents: Iterable[Document]) -> Baseline:
    """Count surfaces, pairs and modalities of annotated documents."""
    outer: defaultdict[str, Counter[str]] = defaultdict(Counter)
    inner: dict[tuple[str, str, str], str] = {}
    relations: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    seen: Counter[tuple[str, str]] = Counter()
    modalities: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        if document.annotation is None:
            continue
        layers = document.annotation.layers()
        for mention in layers[0]:
            outer[document.surface(mention)][mention.label] += 1
        for mention in layers[1]:
            around = next(m for m in layers[0] if m.holds(mention))
            key = (around.label, document.surface(around), document.surface(mention))
            inner[key] = mention.label
        for first, second in pairwise(sorted(document.annotation.mentions)):
            seen[first.label, second.label] += 1
            seen[second.label, first.label] += 1
        for relation in document.annotation.relations:
            relations[relation.head.label, relation.tail.label][relation.label] += 1
            modalities[relation.label][relation.modality] += 1
    return Baseline(
        {surface: labels.most_common(1)[0][0] for surface, labels in outer.items()},
        inner,
        # Predicted only where such neighbours are related more often than not.
        {
            pair: labels.most_common(1)[0][0]
            for pair, labels in relations.items()
            if labels.most_common(1)[0][1] * 2 > seen[pair]
        },
        {label: counts.most_common(1)[0][0] for label, counts in modalities.items()},
    )
