"""Where relations are lost: every gold relation that is not found has exactly one first cause.

The same questions, put the other way round, say where the false ones come from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from annotations import scheme
from annotations.document import Annotation, Mention, Relation
from eval.metrics.relations import Mode, distinct

Span = tuple[int, int]

# cause → (said of a missed gold relation, said of a false predicted one), in the order they are asked.
CAUSES: dict[str, tuple[str, str]] = {
    "head": ("head not found", "head is no mention"),
    "tail": ("tail not found", "tail is no mention"),
    "boundary": ("boundary of a mention", "boundary of a mention"),
    "label": ("label of a mention", "label of a mention"),
    "window": ("outside the window", "outside the window"),
    "pair": ("pair not asked", "pair not allowed"),
    "direction": ("wrong direction", "wrong direction"),
    "relation": ("wrong relation", "wrong relation"),
    "none": ("no relation said", "no relation there"),
    "modality": ("wrong modality", "wrong modality"),
}
LADDER = {
    "relations.pairs": "gold pairs",
    "relations.given": "gold mentions",
    "relations.boundaries": "end to end, boundaries",
    "relations.strict": "end to end, strict",
    "relations.strict.modality": "… with modality",
    "relations.strict.joint": "… everything right",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """What the model was asked about one document, where the run kept it.

    ``pairs`` are the spans of the heads and tails that were asked about, ``windows`` the spans of text
    within which both had to lie. None: not known, and no loss is blamed on it.
    """

    pairs: frozenset[tuple[Span, Span]] | None = None
    windows: tuple[Span, ...] | None = None


@dataclass(frozen=True, slots=True)
class Losses:
    """First causes: (label of the relation, cause) → how often."""

    missed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    spurious: Mapping[tuple[str, str], int] = field(default_factory=dict)


def count_losses(gold: Annotation, predicted: Annotation, mode: Mode, trace: Trace | None = None) -> Losses:
    """Causes of all that the metric "with modality" of this mode calls missed or spurious."""
    return Losses(
        Counter((r.label, cause) for r, cause in causes(gold, predicted, mode, trace or Trace())),
        Counter((r.label, cause) for r, cause in causes(predicted, gold, mode, Trace())),
    )


def causes(these: Annotation, those: Annotation, mode: Mode, trace: Trace) -> list[tuple[Relation, str]]:
    """Each relation of the one reading that the other has not, modality included, with its first cause."""
    other = _Other(these, those, mode, trace)
    waiting = Counter((mode.key(r), r.modality) for r in distinct(those.relations))
    lost = []
    for relation in distinct(these.relations):
        key = (mode.key(relation), relation.modality)
        if waiting[key]:
            waiting[key] -= 1
        else:
            lost.append((relation, other.first_cause(relation)))
    return lost


class _Other:
    """The other reading, laid out so that each question is a look-up."""

    def __init__(self, these: Annotation, those: Annotation, mode: Mode, trace: Trace) -> None:
        self.mode, self.trace = mode, trace
        self.mentions = {mode.of(m) for m in those.mentions}
        self.spans = {(m.start, m.end) for m in those.mentions}
        known = {(m.start, m.end) for m in these.mentions}
        # A mention that is right somewhere else is nobody's wrong boundary.
        self.strays = [m for m in those.mentions if (m.start, m.end) not in known]
        self.keys = {mode.key(r) for r in distinct(those.relations)}
        self.joined = {frozenset((mode.of(r.head), mode.of(r.tail))) for r in those.relations}

    def first_cause(self, relation: Relation) -> str:
        arguments = {"head": relation.head, "tail": relation.tail}
        for name, mention in arguments.items():
            if not self._is_touched(mention):
                return name
        if any((m.start, m.end) not in self.spans for m in arguments.values()):
            return "boundary"
        if any(self.mode.of(m) not in self.mentions for m in arguments.values()):
            return "label"
        return self._asked(relation) or self._said(relation)

    def _is_touched(self, mention: Mention) -> bool:
        return (mention.start, mention.end) in self.spans or any(mention.overlaps(m) for m in self.strays)

    def _asked(self, relation: Relation) -> str | None:
        head = (relation.head.start, relation.head.end)
        tail = (relation.tail.start, relation.tail.end)
        windows, pairs = self.trace.windows, self.trace.pairs
        first, last = min(head, tail)[0], max(head[1], tail[1])
        if windows is not None and not any(start <= first and last <= end for start, end in windows):
            return "window"
        if pairs is not None and (head, tail) not in pairs and (tail, head) not in pairs:
            return "pair"
        if relation.label in scheme.RELATIONS and not scheme.allowed(
            relation.label, relation.head, relation.tail
        ):
            return "pair"
        return None

    def _said(self, relation: Relation) -> str:
        key = self.mode.key(relation)
        if key in self.keys:
            return "modality"
        head, tail, label = self.mode.of(relation.head), self.mode.of(relation.tail), relation.label
        if (tail, head, label) in self.keys:
            return "direction"
        return "relation" if frozenset((head, tail)) in self.joined else "none"
