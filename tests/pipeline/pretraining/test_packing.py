from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pretraining import packing, tokenizer

from .conftest import sentences

LEARNED = tokenizer.learn(sentences(), 500)
END = LEARNED.token_to_id(tokenizer.END)


def test_every_document_is_there_and_ended() -> None:
    pieces = packing.encode(LEARNED, sentences())
    expected = [
        number for one in sentences() for number in [*LEARNED.encode(one, add_special_tokens=False).ids, END]
    ]
    assert pieces.tolist() == expected


@given(st.integers(0, 200), st.integers(3, 20))
def test_rows_lose_less_than_a_row(count: int, width: int) -> None:
    pieces = np.arange(count, dtype=np.uint16)
    found = packing.rows(pieces, width)
    assert found.ravel().tolist() == pieces[: found.size].tolist()
    assert 0 <= count - found.size < width - 2


def test_rows_are_framed() -> None:
    ids = packing.framed(np.array([[7, 8], [9, 10]], dtype=np.uint16), LEARNED)
    assert ids.tolist() == [[2, 7, 8, 3], [2, 9, 10, 3]]


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 7))
def test_a_round_reads_each_row_as_often_as_told(one: int, two: int, size: int) -> None:
    order = packing.Order({"one": one, "two": two}, {"one": 2.0, "two": 1.0}, seed=3)
    steps = -(-order.length // size)
    read = np.concatenate([order.batch(step, size) for step in range(steps)])[: order.length]
    assert Counter(read.tolist()) == {row: 2 if row < one else 1 for row in range(one + two)}


def test_a_fraction_goes_on_where_the_last_round_stopped() -> None:
    order = packing.Order({"one": 12}, {"one": 0.25}, seed=3)
    assert sorted(np.concatenate([order.batch(step, 3) for step in range(4)])) == list(range(12))


def test_a_batch_does_not_depend_on_what_was_read_before() -> None:
    def order() -> packing.Order:
        return packing.Order({"one": 10, "two": 9}, {"one": 1.0, "two": 0.5}, seed=3)

    onward = order()
    batches = [onward.batch(step, 4) for step in range(12)]
    assert all((order().batch(step, 4) == batches[step]).all() for step in reversed(range(12)))


def test_nothing_to_read_is_said() -> None:
    with pytest.raises(ValueError, match="no source fills a row"):
        packing.Order({"one": 0}, {"one": 1.0}, seed=3)
