import random

import pytest

from eval.counts import Counts, count_keys, macro_f1, merge, total


def test_ratios_are_derived_from_what_adds_up():
    counts = Counts(hits=3, spurious=1, missed=2)
    assert (counts.gold, counts.predicted) == (5, 4)
    assert (counts.precision, counts.recall) == (3 / 4, 3 / 5)
    assert counts.f1 == pytest.approx(2 * 0.75 * 0.6 / (0.75 + 0.6))


def test_nothing_divided_by_nothing_is_nothing():
    assert (Counts().precision, Counts().recall, Counts().f1) == (0.0, 0.0, 0.0)


def test_halves_are_worth_half_a_hit():
    counts = Counts(hits=1, halves=2, spurious=1, missed=1)
    assert (counts.gold, counts.predicted) == (4, 4)
    assert counts.precision == counts.recall == counts.f1 == 0.5


def test_the_same_document_twice_scores_as_once():
    counts = Counts(3, 1, 2, 1)
    assert (counts + counts).f1 == counts.f1


def test_less_than_nothing_cannot_be_counted():
    with pytest.raises(ValueError, match="less than nothing"):
        Counts(hits=-1)


def test_merge_adds_label_by_label():
    merged = merge([{"A": Counts(1)}, {"A": Counts(0, 1), "B": Counts(0, 0, 2)}])
    assert merged == {"A": Counts(1, 1), "B": Counts(0, 0, 2)}
    assert total(merged) == Counts(1, 1, 2)
    assert total(merged, ["B", "C"]) == Counts(0, 0, 2)


def test_macro_is_the_mean_over_labels_that_occur():
    assert macro_f1({"A": Counts(1), "B": Counts(0, 1), "C": Counts()}) == 0.5


def test_bags_are_compared_one_to_one():
    rng = random.Random(3)
    for _ in range(500):
        gold = [(rng.randrange(4), rng.choice("AB")) for _ in range(rng.randrange(6))]
        predicted = [(rng.randrange(4), rng.choice("AB")) for _ in range(rng.randrange(6))]
        counts = total(count_keys(gold, predicted))
        keys = [key for key, _ in gold], [key for key, _ in predicted]
        hits = sum(min(keys[0].count(k), keys[1].count(k)) for k in range(4))
        assert counts == Counts(hits, len(predicted) - hits, len(gold) - hits)
        again = count_keys(rng.sample(gold, len(gold)), rng.sample(predicted, len(predicted)))
        assert total(again) == counts


def test_among_equal_keys_the_same_label_is_hit_first():
    tally = count_keys([(1, "A"), (1, "B")], [(1, "B")])
    assert tally == {"A": Counts(0, 0, 1), "B": Counts(1)}
