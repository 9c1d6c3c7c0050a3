import itertools
import os
import time

import numpy as np
import pytest
from scipy import stats

from eval.counts import Counts
from eval.significance import f1, holm, intervals, permutation_test, table_of
from scripts.bench_statistics import coverage, documents, false_positives

FULL = "JUDGE_CASES" in os.environ


def random_table(seed: int, count: int):
    return documents(np.random.default_rng(seed), count)[0]


def test_f1_of_a_table_is_that_of_the_counts():
    counts = [Counts(3, 1, 2, 1), Counts(), Counts(0, 4, 0)]
    assert f1(table_of(counts)).tolist() == pytest.approx([c.f1 for c in counts])


def slow_permutation(first, second) -> float:
    """Every way to swap documents between the runs, one after the other."""
    observed = abs(f1(first.sum(0)) - f1(second.sum(0)))
    extreme = 0
    for swaps in itertools.product((False, True), repeat=len(first)):
        mask = np.array(swaps)[:, None]
        ours, theirs = np.where(mask, second, first), np.where(mask, first, second)
        extreme += abs(f1(ours.sum(0)) - f1(theirs.sum(0))) >= observed - 1e-12
    return extreme / 2 ** len(first)


@pytest.mark.parametrize("seed", range(5))
def test_few_documents_are_swapped_in_every_way(seed):
    first, second = random_table(seed, 8), random_table(seed + 50, 8)
    assert permutation_test(first, second) == pytest.approx(slow_permutation(first, second))


def test_drawn_swaps_come_near_all_swaps():
    first, second = random_table(1, 13), random_table(2, 13)
    assert permutation_test(first, second) == pytest.approx(slow_permutation(first, second), abs=0.02)


def test_a_run_does_not_differ_from_itself_and_order_does_not_matter():
    first, second = random_table(1, 30), random_table(2, 30)
    assert permutation_test(first, first) == 1.0
    assert permutation_test(first, second) == permutation_test(second, first)
    with pytest.raises(ValueError, match="30 and 29 documents"):
        permutation_test(first, second[:-1])


def test_a_difference_in_every_document_is_found():
    good, bad = np.tile([9, 1, 1, 0], (20, 1)), np.tile([5, 5, 5, 0], (20, 1))
    assert permutation_test(good, bad) < 0.001


def test_holm_steps_down():
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([]) == []
    assert holm([0.04]) == [0.04]
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_few_documents_are_resampled_within():
    (found,) = intervals([random_table(1, 5)])
    assert found.method == "within documents"
    (found,) = intervals([random_table(1, 6)])
    assert found.method == "between documents"


def test_an_interval_holds_its_score_and_comes_out_the_same_twice():
    tables = [random_table(seed, 20) for seed in range(4)]
    found = intervals(tables)
    assert found == intervals(tables)
    for table, interval in zip(tables, found, strict=True):
        assert interval.low <= f1(table.sum(0)) <= interval.high
        assert 0 < interval.deviation < 0.2


def test_perfect_and_empty_tables_have_intervals_of_a_point():
    perfect = np.tile([3, 0, 0, 0], (10, 1))
    bounds = [(i.low, i.high) for i in intervals([perfect, np.zeros((10, 4), dtype=np.int64)])]
    assert bounds == [(1.0, 1.0), (0.0, 0.0)]


def test_intervals_within_are_multinomial():
    table = np.array([[50, 25, 25, 0]])
    (found,) = intervals([table], resamples=20_000)
    rng = np.random.default_rng(3)
    drawn = rng.multinomial(100, [0.5, 0.25, 0.25], size=20_000)
    scores = 2 * drawn[:, 0] / (2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2])
    assert (found.low, found.high) == pytest.approx(np.quantile(scores, [0.025, 0.975]), abs=0.01)


def test_many_documents_do_not_fill_the_memory():
    started = time.process_time()
    intervals([random_table(1, 20_000)], resamples=500)
    assert time.process_time() - started < 20


def test_intervals_cover_what_they_promise():
    corpora, slack = (1000, 0.02) if FULL else (150, 0.05)
    for row in coverage(corpora):
        assert 0.95 - slack <= row["coverage"] <= 0.95 + slack, row


def test_equal_runs_are_told_apart_no_more_often_than_promised():
    pairs, slack = (2000, 0.01) if FULL else (300, 0.035)
    assert abs(false_positives(pairs)["false_positives"] - 0.05) <= slack


@pytest.mark.parametrize("count", [10, 50, 200])
def test_an_interval_is_as_wide_as_student_says(count):
    (found,) = intervals([random_table(4, count)], resamples=20_000)
    unbiased = found.deviation * np.sqrt(count / (count - 1))
    half = (found.high - found.low) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, count - 1) * unbiased, rel=0.08)
