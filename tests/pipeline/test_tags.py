"""The decoder against a slow twin that tries every tagging."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline import tags


def valid(path: tuple[int, ...]) -> bool:
    previous = 0
    for tag in path:
        if tag > 0 and tag % 2 == 0 and previous not in (tag, tag - 1):
            return False
        previous = tag
    return True


def slow(scores: np.ndarray) -> float:
    """The score of the best valid tagging, by trying all."""
    units, count = scores.shape
    paths = filter(valid, itertools.product(range(count), repeat=units))
    return max(sum(scores[i, tag] for i, tag in enumerate(path)) for path in paths)


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 2))
def test_the_best_valid_tagging_is_found(seed: int, units: int, labels: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(units, tags.tag_count(labels))).astype(np.float32)
    spans = tags.decode([scores])[0]
    path = tags.encode([(first, last, label) for first, last, label, _ in spans], units)
    assert valid(tuple(path.tolist()))
    found = float(scores[np.arange(units), path].sum())
    assert np.isclose(found, slow(scores), atol=1e-5)


@given(st.integers(0, 10_000))
def test_neighbouring_rows_change_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = [random.normal(size=(int(n), 7)).astype(np.float32) for n in random.integers(0, 30, size=9)]
    assert tags.decode(rows) == [tags.decode([row])[0] for row in rows]


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2), st.integers(0, 3)), max_size=6))
def test_tags_say_the_spans_again(parts: list[tuple[int, int, int]]) -> None:
    spans, position = [], 0
    for length, gap, label in parts:
        spans.append((position + gap, position + gap + length, label))
        position += gap + length
    assert tags.spans_of(tags.encode(spans, position + 2)) == spans


def test_a_score_is_the_mean_probability_of_its_tags() -> None:
    scores = np.log(np.array([[0.1, 0.8, 0.1], [0.3, 0.2, 0.5]], dtype=np.float32))
    ((first, last, label, score),) = tags.decode([scores])[0]
    assert (first, last, label) == (0, 2, 0)
    assert np.isclose(score, np.sqrt(0.8 * 0.5))


def test_a_long_row_costs_its_own_length_alone() -> None:
    """A text of a megabyte without a paragraph stands beside short rows, and takes no more for it."""
    rows = [np.zeros((units, 25), dtype=np.float32) for units in (20_000, *[3] * 255)]
    tracemalloc.start()
    tags.decode(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
