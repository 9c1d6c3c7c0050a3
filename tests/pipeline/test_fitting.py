"""Thresholds: the best F1 decides where it can, and where it cannot, the lowest of the good ones."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.fitting import best, lowest_good


def test_a_threshold_that_is_clearly_best_is_taken() -> None:
    chances = np.repeat(np.array([0.9, 0.4], dtype=np.float32), 1000)
    targets = chances > 0.5
    assert 0.4 < lowest_good(chances, targets, 0) <= 0.42
    assert 0.4 < best(chances, targets, 0) <= 0.42


def test_of_thresholds_that_little_gold_cannot_tell_apart_the_lowest_is_taken() -> None:
    random = np.random.default_rng(2)
    targets = random.random(400) < 0.25
    chances = np.clip(targets * 0.3 + random.normal(0.3, 0.15, 400), 0, 1).astype(np.float32)
    few = lowest_good(chances, targets, 0)
    many = lowest_good(np.tile(chances, 100), np.tile(targets, 100), 0)
    assert few < many  # the same figures, but known a hundred times as well


def f1(chances: np.ndarray, targets: np.ndarray, threshold: float) -> float:  # type: ignore[type-arg]
    chosen = chances >= threshold
    return float(2 * (chosen & targets).sum() / (chosen.sum() + targets.sum()))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_taken_is_within_a_standard_error_of_the_best(seed: int) -> None:
    random = np.random.default_rng(seed)
    targets = random.random(300) < 0.3
    chances = np.clip(targets * 0.4 + random.normal(0.3, 0.2, 300), 0, 1).astype(np.float32)
    most = max(f1(chances, targets, threshold / 100) for threshold in range(5, 96))
    error = (most * (1 - most) / targets.sum()) ** 0.5
    assert f1(chances, targets, round(best(chances, targets, 0), 2)) == most
    taken = lowest_good(chances, targets, 0)
    assert f1(chances, targets, taken) >= most - error
    assert all(f1(chances, targets, lower / 100) < most - error for lower in range(5, round(100 * taken)))


def test_where_nothing_is_right_the_threshold_is_a_half() -> None:
    for fitted in (best, lowest_good):
        assert fitted(np.zeros(3, dtype=np.float32), np.zeros(3, dtype=np.bool_), 2) == 0.5
