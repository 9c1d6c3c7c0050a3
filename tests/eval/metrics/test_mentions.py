"""The four of SemEval 2013 against nervaluate and against slow twins that try everything."""

import os
import random
import time

import pytest
from nervaluate.entities import Entity
from nervaluate.strategies import (
    EntityTypeEvaluation,
    ExactEvaluation,
    PartialEvaluation,
    StrictEvaluation,
)

from annotations.document import Annotation, Document, Mention
from eval.align import Pair
from eval.counts import Counts, merge, total
from eval.metrics import METRICS
from eval.metrics.mentions import LAYERS, boundaries, confused, layer, overlap, strict, type_
from tests.eval import worlds

CASES = int(os.environ.get("JUDGE_CASES", "600"))
LABELS = ("PER", "GPE", "ORG")
COUNTS = {"strict": strict, "boundaries": boundaries, "overlap": overlap, "type": type_}
THEIRS = {
    "strict": StrictEvaluation,
    "boundaries": ExactEvaluation,
    "overlap": PartialEvaluation,
    "type": EntityTypeEvaluation,
}


def flat(rng: random.Random) -> list[Mention]:
    mentions, position = [], rng.randrange(4)
    while position < 24:
        end = position + rng.randrange(1, 6)
        if rng.random() < 0.7:
            mentions.append(Mention(position, end, rng.choice(LABELS)))
        position = end + rng.randrange(3)
    return mentions


def nudge(rng: random.Random, gold: list[Mention]) -> list[Mention]:
    moved: list[Mention] = []
    for mention in gold:
        start = max(mention.start + rng.choice((0, 0, 0, -1, 1)), moved[-1].end if moved else 0)
        end = max(start + 1, mention.end + rng.choice((0, 0, 0, -1, 1)))
        label = mention.label if rng.random() < 0.7 else rng.choice(LABELS)
        if rng.random() < 0.85:
            moved.append(Mention(start, end, label))
    return moved


def random_case(rng: random.Random) -> tuple[list[Mention], list[Mention]]:
    gold = flat(rng)
    return gold, nudge(rng, gold) if rng.random() < 0.7 else flat(rng)


def as_counts(name: str, gold: list[Mention], predicted: list[Mention]) -> Counts:
    ours, theirs = ([Entity(m.label, m.start, m.end - 1) for m in side] for side in (gold, predicted))
    result, _ = THEIRS[name]().evaluate(ours, theirs, list(LABELS))
    return Counts(
        result.correct,
        result.incorrect + result.spurious,
        result.incorrect + result.missed,
        result.partial,
    )


def is_contested(gold: list[Mention], predicted: list[Mention]) -> bool:
    """Whether a mention overlaps two of the other side: then nervaluate's answer hangs on the order."""
    sides = ((gold, predicted), (predicted, gold))
    return any(sum(a.overlaps(b) for b in theirs) > 1 for ours, theirs in sides for a in ours)


@pytest.mark.parametrize("name", ["strict", "boundaries", "overlap"])
def test_agrees_with_nervaluate(name):
    rng = random.Random(13)
    for _ in range(CASES):
        gold, predicted = random_case(rng)
        assert total(COUNTS[name](gold, predicted)) == as_counts(name, gold, predicted), (gold, predicted)


def test_type_agrees_with_nervaluate_where_nothing_is_contested_and_finds_no_fewer_elsewhere():
    rng = random.Random(17)
    agreed = 0
    while agreed < CASES:
        gold, predicted = random_case(rng)
        ours, theirs = total(type_(gold, predicted)), as_counts("type", gold, predicted)
        if is_contested(gold, predicted):
            assert ours.hits >= theirs.hits
        else:
            assert ours == theirs
            agreed += 1


def most_pairs(gold: list[Mention], predicted: list[Mention], fits) -> int:
    """The slow twin: the largest one-to-one matching, by trying for each mention every free partner."""
    partner: dict[int, int] = {}

    def place(left: int, seen: set[int]) -> bool:
        for right, mention in enumerate(predicted):
            if right not in seen and fits(gold[left], mention):
                seen.add(right)
                if right not in partner or place(partner[right], seen):
                    partner[right] = left
                    return True
        return False

    return sum(place(left, set()) for left in range(len(gold)))


def test_overlap_and_type_find_as_many_pairs_as_there_are():
    rng = random.Random(19)
    for _ in range(CASES):
        gold, predicted = random_case(rng)
        counts = total(overlap(gold, predicted))
        assert counts.hits + counts.halves == most_pairs(gold, predicted, Mention.overlaps)
        hits = most_pairs(gold, predicted, lambda a, b: a.label == b.label and a.overlaps(b))
        assert total(type_(gold, predicted)).hits == hits


def test_a_mention_with_the_wrong_label_takes_nothing_from_the_right_one():
    gold = [Mention(0, 10, "PER")]
    predicted = [Mention(0, 4, "ORG"), Mention(5, 10, "PER")]
    assert total(type_(gold, predicted)) == Counts(1, 1, 0)
    assert as_counts("type", gold, predicted).hits == 0


def test_layers_are_scored_apart():
    outer, inner = Mention(0, 12, "ROLE"), Mention(0, 2, "GPE")
    gold = Document("d", "US-Präsident", annotation=Annotation((outer, inner)))
    predicted = Document("d", "US-Präsident", annotation=Annotation((inner,)))
    pair = Pair(gold, predicted)
    assert layer(gold.annotation, "inner") == (inner,)
    found = {name: total(METRICS[f"mentions.strict.{name}"].count(pair)) for name in LAYERS}
    assert found == {"both": Counts(1, 0, 1), "outer": Counts(0, 1, 1), "inner": Counts(0, 0, 1)}


def test_equal_spans_are_confused_and_lone_ones_stand_alone():
    gold = [Mention(0, 2, "PER"), Mention(3, 4, "GPE")]
    predicted = [Mention(0, 2, "ORG"), Mention(5, 6, "LOC")]
    assert confused(gold, predicted) == {("PER", "ORG"): 1, ("GPE", ""): 1, ("", "LOC"): 1}


def test_a_million_pieces_in_two_seconds():
    gold = worlds.random_documents(1, 100, 100)
    predicted = worlds.predictions_on(gold, 2)
    pairs = [Pair(*sides) for sides in zip(gold, predicted, strict=True)] * 100
    assert sum(len(pair.gold.text.split()) for pair in pairs) >= 1_000_000
    started = time.process_time()
    tally = merge(METRICS["mentions.strict.both"].count(pair) for pair in pairs)
    assert time.process_time() - started < 2.0
    assert total(tally).gold == 100 * sum(len(d.annotation.mentions) for d in gold)
