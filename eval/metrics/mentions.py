"""Mentions: strict, boundaries, overlap and type, the four of SemEval 2013, on each layer.

Overlap and type match one to one and find as many pairs as there are: that is symmetric in gold and
prediction, where a scorer that lets the first comer take a mention with the wrong label is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from annotations.document import Annotation, Mention
from eval.align import Pair
from eval.counts import Counts, assemble, count_keys, merge

LAYERS = ("both", "outer", "inner")
Count = Callable[[Sequence[Mention], Sequence[Mention]], dict[str, Counts]]


def layer(annotation: Annotation, name: str) -> tuple[Mention, ...]:
    """The mentions of a layer, each once, in order of the text; ``both`` is all of them."""
    if name == "both":
        return tuple(sorted(set(annotation.mentions)))
    outer, inner = Annotation(tuple(set(annotation.mentions))).layers()
    return outer if name == "outer" else inner


def strict(gold: Sequence[Mention], predicted: Sequence[Mention]) -> dict[str, Counts]:
    """The same span with the same label."""
    return count_keys(((m, m.label) for m in gold), ((m, m.label) for m in predicted))


def boundaries(gold: Sequence[Mention], predicted: Sequence[Mention]) -> dict[str, Counts]:
    """The same span, whatever its label."""
    return count_keys(_spans(gold), _spans(predicted))


def overlap(gold: Sequence[Mention], predicted: Sequence[Mention]) -> dict[str, Counts]:
    """The same span is a hit, a span that shares a character half a one, whatever the labels."""
    exact = boundaries(gold, predicted)
    same = {(m.start, m.end) for m in gold} & {(m.start, m.end) for m in predicted}
    left = [m for m in gold if (m.start, m.end) not in same]
    right = [m for m in predicted if (m.start, m.end) not in same]
    pairs = pair_overlapping(left, right)
    halves = Counter(mention.label for mention, _ in pairs)
    paired, taken = {m for m, _ in pairs}, {m for _, m in pairs}
    rest = assemble(
        {},
        Counter(m.label for m in right if m not in taken),
        Counter(m.label for m in left if m not in paired),
        halves,
    )
    hits = {label: Counts(hits=counts.hits) for label, counts in exact.items()}
    return merge((hits, rest))


def type_(gold: Sequence[Mention], predicted: Sequence[Mention]) -> dict[str, Counts]:
    """The same label on spans that share a character."""
    tally: dict[str, Counts] = {}
    for label in sorted({m.label for m in (*gold, *predicted)}):
        ours = [m for m in gold if m.label == label]
        theirs = [m for m in predicted if m.label == label]
        hits = len(pair_overlapping(ours, theirs))
        tally[label] = Counts(hits, len(theirs) - hits, len(ours) - hits)
    return tally


def pair_overlapping(gold: Sequence[Mention], predicted: Sequence[Mention]) -> list[tuple[Mention, Mention]]:
    """As many pairs of overlapping mentions as there can be, each mention in one pair at most.

    Within one layer mentions do not overlap, so pairing the earliest ends first is optimal.
    """
    ours = sorted(gold, key=lambda m: (m.end, m.start))
    theirs = sorted(predicted, key=lambda m: (m.end, m.start))
    pairs = []
    left = right = 0
    while left < len(ours) and right < len(theirs):
        if ours[left].overlaps(theirs[right]):
            pairs.append((ours[left], theirs[right]))
            left, right = left + 1, right + 1
        elif ours[left].end <= theirs[right].start:
            left += 1
        else:
            right += 1
    return pairs


def confused(gold: Sequence[Mention], predicted: Sequence[Mention]) -> Counter[tuple[str, str]]:
    """(label in gold, label in the prediction) → how often on the same span; "" where the span is alone."""
    ours = {(m.start, m.end): m.label for m in gold}
    theirs = {(m.start, m.end): m.label for m in predicted}
    return Counter((ours.get(span, ""), theirs.get(span, "")) for span in ours.keys() | theirs.keys())


def on_layer(count: Count, name: str, *, apart: bool = False) -> Callable[[Pair], dict[str, Counts]]:
    """The count as a metric on a layer. ``apart``: both layers are the sum of the two."""

    def metric(pair: Pair) -> dict[str, Counts]:
        gold, predicted = pair.readings
        names = ("outer", "inner") if apart and name == "both" else (name,)
        return merge(count(layer(gold, each), layer(predicted, each)) for each in names)

    return metric


def _spans(mentions: Iterable[Mention]) -> Iterable[tuple[tuple[int, int], str]]:
    return (((m.start, m.end), m.label) for m in mentions)
