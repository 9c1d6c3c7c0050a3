"""Modality, source, time and place on the relations that were found, as confusions that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from annotations import scheme
from eval.align import Pair
from eval.counts import Counts, macro_f1, ratio
from eval.metrics.relations import ATTRIBUTES, Mode, attribute, matched

# (label of the relation, value in gold, value in the prediction) → how often. The values of source, time
# and place are "none", "same" and "other", the last two as seen from gold's "same".
Confusion = Mapping[tuple[str, str, str], int]


def confusions(pair: Pair, mode: Mode) -> dict[str, Counter[tuple[str, str, str]]]:
    """For each attribute, what gold says against what the prediction says, on the relations found."""
    table: dict[str, Counter[tuple[str, str, str]]] = {name: Counter() for name in ATTRIBUTES}
    for gold, predicted in matched(pair, mode):
        table["modality"][gold.label, gold.modality, predicted.modality] += 1
        for name in ATTRIBUTES[1:]:
            if name != "source" and gold.label not in scheme.ACTOR_RELATIONS:
                continue  # only relations between actors have a time and a place
            ours, theirs = attribute(gold, name, mode), attribute(predicted, name, mode)
            said = "none" if theirs is None else "same" if ours == theirs else "other"
            table[name][gold.label, "none" if ours is None else "same", said] += 1
    return table


@dataclass(frozen=True, slots=True)
class AttributeScore:
    """How often an attribute is right on the relations found."""

    right: int
    matched: int
    macro_f1: float  # modality: over the labels present; source, time, place: F1 of those that are given

    @property
    def accuracy(self) -> float:
        """Share of the relations found on which the attribute is right, none included."""
        return ratio(self.right, self.matched)


def attribute_score(confusion: Confusion, labels: Iterable[str]) -> AttributeScore:
    """The score of an attribute over relations with these labels."""
    cells = square(confusion, labels)
    right = sum(count for (gold, predicted), count in cells.items() if gold == predicted)
    if any("same" in pair or "other" in pair or "none" in pair for pair in cells):
        hits = cells["same", "same"]
        said = sum(count for (_, predicted), count in cells.items() if predicted != "none")
        held = sum(count for (gold, _), count in cells.items() if gold != "none")
        return AttributeScore(right, cells.total(), Counts(hits, said - hits, held - hits).f1)
    return AttributeScore(right, cells.total(), macro_f1(as_tally(cells)))


def square(confusion: Confusion, labels: Iterable[str]) -> Counter[tuple[str, str]]:
    """(gold, predicted) → how often, summed over the relation labels."""
    wanted = set(labels)
    cells: Counter[tuple[str, str]] = Counter()
    for (label, gold, predicted), count in confusion.items():
        if label in wanted:
            cells[gold, predicted] += count
    return cells


def as_tally(cells: Mapping[tuple[str, str], int]) -> dict[str, Counts]:
    """A confusion as counts by value: a confusion of two is one missed and one spurious."""
    tally: dict[str, Counts] = {}
    for (gold, predicted), count in cells.items():
        if gold == predicted:
            tally[gold] = tally.get(gold, Counts()) + Counts(hits=count)
        else:
            tally[gold] = tally.get(gold, Counts()) + Counts(missed=count)
            tally[predicted] = tally.get(predicted, Counts()) + Counts(spurious=count)
    return tally
