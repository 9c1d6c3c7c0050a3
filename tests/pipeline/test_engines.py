"""Every engine against the slow one, and the plan against its promises."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checkpoint import Model
from pipeline.config import InputError
from pipeline.engines.batching import plan
from pipeline.engines.settings import BatchedSettings, ReferenceSettings


def windows(seed: int, count: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(5, 400, size=int(n)) for n in random.integers(1, 25, size=count)]


@pytest.mark.parametrize("pieces", [1, 40, 300, 100_000])
def test_the_batched_engine_answers_as_the_slow_one_in_the_order_of_the_questions(
    model: Model, pieces: int
) -> None:
    questions = windows(3, 65)
    slow = ReferenceSettings().build(copy.deepcopy(model.reader)).encode(questions)
    fast = BatchedSettings(pieces=pieces).build(copy.deepcopy(model.reader)).encode(questions)
    assert [len(v) for v in fast] == [len(q) for q in questions]
    for a, b in zip(slow, fast, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_bfloat16_is_close(model: Model) -> None:
    questions = windows(4, 20)
    slow = ReferenceSettings().build(copy.deepcopy(model.reader)).encode(questions)
    fast = BatchedSettings(dtype="bfloat16").build(copy.deepcopy(model.reader)).encode(questions)
    assert all(v.dtype == torch.float32 for v in fast)
    for a, b in zip(slow, fast, strict=True):
        assert torch.allclose(a, b, atol=0.1)


@given(st.lists(st.integers(1, 500), max_size=80), st.integers(1, 2000))
def test_the_plan_asks_everything_once_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = plan(lengths, budget)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[position] for position in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget


@given(st.lists(st.integers(1, 500), min_size=1, max_size=80))
def test_the_longest_comes_first(lengths: list[int]) -> None:
    assert lengths[plan(lengths, 1000)[0][0]] == max(lengths)


def test_what_is_not_there_is_said(model: Model) -> None:
    with pytest.raises(InputError, match=r"engine\.dtype=float7: expected one of"):
        BatchedSettings(dtype="float7").build(model.reader)
    with pytest.raises(InputError, match=r"engine\.device=warp: no such device"):
        BatchedSettings(device="warp").build(model.reader)
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA device"):
            BatchedSettings(device="cuda").build(model.reader)
