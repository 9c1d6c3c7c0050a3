"""What adds up: hits, spurious, missed. Every ratio is derived from them, and none is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass


def ratio(part: float, whole: float) -> float:
    """The quotient, and 0.0 where there is nothing to divide by."""
    return part / whole if whole else 0.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many were found, how many were made up, how many were overlooked.

    ``halves`` are pairs that overlap without being the same span: each stands for one of gold and one of
    the prediction, and is worth half a hit. Only the overlap metric has any.
    """

    hits: int = 0
    spurious: int = 0
    missed: int = 0
    halves: int = 0

    def __post_init__(self) -> None:
        if min(self.hits, self.spurious, self.missed, self.halves) < 0:
            raise ValueError(f"{self} counts less than nothing")

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.hits + other.hits,
            self.spurious + other.spurious,
            self.missed + other.missed,
            self.halves + other.halves,
        )

    @property
    def gold(self) -> int:
        """The support: how many there are in gold."""
        return self.hits + self.halves + self.missed

    @property
    def predicted(self) -> int:
        """How many were predicted."""
        return self.hits + self.halves + self.spurious

    @property
    def precision(self) -> float:
        """Share of the predicted that is right; 0.0 where nothing was predicted."""
        return ratio(self.hits + self.halves / 2, self.predicted)

    @property
    def recall(self) -> float:
        """Share of gold that was found; 0.0 where gold is empty."""
        return ratio(self.hits + self.halves / 2, self.gold)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; 0.0 where gold and prediction are both empty."""
        return ratio(2 * self.hits + self.halves, self.gold + self.predicted)


Tally = Mapping[str, Counts]  # by label


def total(tally: Tally, labels: Iterable[str] | None = None) -> Counts:
    """The sum over the labels, or over all of them."""
    chosen = tally if labels is None else labels
    return sum((tally[label] for label in chosen if label in tally), Counts())


def merge(tallies: Iterable[Tally]) -> dict[str, Counts]:
    """Label by label, the sum of several tallies."""
    merged: dict[str, Counts] = {}
    for tally in tallies:
        for label, counts in tally.items():
            merged[label] = merged.get(label, Counts()) + counts
    return merged


def macro_f1(tally: Tally, labels: Iterable[str] | None = None) -> float:
    """The mean F1 of the labels that occur in gold or prediction; 0.0 where none does."""
    chosen = tally if labels is None else labels
    scores = [tally[label].f1 for label in chosen if label in tally and tally[label] != Counts()]
    return ratio(sum(scores), len(scores))


def count_keys(
    gold: Iterable[tuple[Hashable, str]], predicted: Iterable[tuple[Hashable, str]]
) -> dict[str, Counts]:
    """Compare two bags of (key, label): equal keys are hits, whatever their labels.

    Hits and missed count for the label in gold, spurious for the label in the prediction: the labels add
    up to the whole even where the key leaves the label out.
    """
    wanted: dict[Hashable, list[str]] = {}
    for key, label in gold:
        wanted.setdefault(key, []).append(label)
    hits: Counter[str] = Counter()
    spurious: Counter[str] = Counter()
    for key, label in predicted:
        waiting = wanted.get(key)
        if waiting:
            # The same label first, so that the count does not hang on the order.
            hits[waiting.pop(waiting.index(label) if label in waiting else 0)] += 1
        else:
            spurious[label] += 1
    missed = Counter(label for labels in wanted.values() for label in labels)
    return assemble(hits, spurious, missed)


def assemble(
    hits: Mapping[str, int],
    spurious: Mapping[str, int],
    missed: Mapping[str, int],
    halves: Mapping[str, int] | None = None,
) -> dict[str, Counts]:
    """One Counts for each label that stands in any of the four."""
    halves = halves or {}
    labels = sorted({*hits, *spurious, *missed, *halves})
    return {
        label: Counts(hits.get(label, 0), spurious.get(label, 0), missed.get(label, 0), halves.get(label, 0))
        for label in labels
    }
