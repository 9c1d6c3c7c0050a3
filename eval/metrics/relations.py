"""Relations: with gold mentions given, end to end on boundaries, end to end strict. All of gold counts.

A symmetric relation is the same in both directions; every other one is wrong the wrong way round.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace

from annotations import scheme
from annotations.document import Annotation, Mention, Relation
from eval.align import Pair, reading
from eval.counts import Counts, count_keys

GROUPS: dict[str, tuple[str, ...]] = {
    "all": scheme.RELATION_LABELS,
    "static": tuple(scheme.STATIC_RELATIONS),
    "actors": tuple(scheme.ACTOR_RELATIONS),
}
ATTRIBUTES = ("modality", "source", "time", "place")


@dataclass(frozen=True, slots=True)
class Mode:
    """When two relations are the same one: whose mentions they join, and what of these counts."""

    name: str
    title: str
    given: bool = False
    labels: bool = True  # whether the labels of the two mentions must agree too

    def of(self, mention: Mention) -> Hashable:
        """What of a mention counts."""
        return mention if self.labels else (mention.start, mention.end)

    def key(self, relation: Relation) -> Hashable:
        """What makes two relations the same one, both in canonical form."""
        return self.of(relation.head), self.of(relation.tail), relation.label

    def readings(self, pair: Pair) -> tuple[Annotation, Annotation]:
        """Gold, and the prediction that this mode looks at. Raises ValueError where there is none."""
        if not self.given:
            return pair.readings
        if pair.given is None:
            raise ValueError(f"{pair.gold.id}: nobody predicted relations on gold mentions")
        return reading(pair.gold), reading(pair.given)


MODES = {
    "given": Mode("given", "gold mentions given", given=True),
    "boundaries": Mode("boundaries", "end to end, boundaries", labels=False),
    "strict": Mode("strict", "end to end, strict"),
}


def distinct(relations: Iterable[Relation]) -> tuple[Relation, ...]:
    """The relations in canonical form, each once: the same one the other way round is no second one."""
    ordered = sorted(map(scheme.canonical, relations), key=lambda r: (r, r.modality))
    return tuple(dict.fromkeys(ordered))


def found(mode: Mode) -> Callable[[Pair], dict[str, Counts]]:
    """The relation itself: its two mentions and its label."""
    return _metric(mode, ())


def with_attributes(mode: Mode, names: tuple[str, ...]) -> Callable[[Pair], dict[str, Counts]]:
    """The relation and these of its attributes, all right together."""
    return _metric(mode, names)


def on_gold_pairs(pair: Pair) -> dict[str, Counts]:
    """With gold mentions and gold pairs: what is left is to name the relation and its direction."""
    mode = MODES["given"]
    gold, predicted = mode.readings(pair)
    pairs = {frozenset((r.head, r.tail)) for r in gold.relations}
    kept = tuple(r for r in predicted.relations if frozenset((r.head, r.tail)) in pairs)
    given = replace(pair.gold, annotation=Annotation(predicted.mentions, kept))
    return found(mode)(replace(pair, given=given))


def _metric(mode: Mode, names: tuple[str, ...]) -> Callable[[Pair], dict[str, Counts]]:
    def keys(annotation: Annotation) -> Iterator[tuple[Hashable, str]]:
        for relation in distinct(annotation.relations):
            yield (mode.key(relation), *(attribute(relation, n, mode) for n in names)), relation.label

    def metric(pair: Pair) -> dict[str, Counts]:
        gold, predicted = mode.readings(pair)
        return count_keys(keys(gold), keys(predicted))

    return metric


def attribute(relation: Relation, name: str, mode: Mode) -> Hashable:
    """The value of an attribute as this mode compares it; None where there is none."""
    if name == "modality":
        return relation.modality
    mention: Mention | None = getattr(relation, name)
    return None if mention is None else mode.of(mention)


def matched(pair: Pair, mode: Mode) -> list[tuple[Relation, Relation]]:
    """Each gold relation that was found, with the predicted one."""
    gold, predicted = mode.readings(pair)
    waiting: dict[Hashable, list[Relation]] = {}
    for relation in distinct(predicted.relations):
        waiting.setdefault(mode.key(relation), []).append(relation)
    pairs = []
    for relation in distinct(gold.relations):
        if waiting.get(mode.key(relation)):
            pairs.append((relation, waiting[mode.key(relation)].pop(0)))
    return pairs
