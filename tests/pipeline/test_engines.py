"""Every engine against the slow one, and the plan against its promises."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertModel, ModernBertModel

from pipeline import modernbert
from pipeline.checkpoint import Model
from pipeline.config import InputError
from pipeline.engines import batching
from pipeline.engines.base import WindowError, Windows, is_out_of_memory
from pipeline.engines.batched import BatchedEngine
from pipeline.engines.budget import Budget
from pipeline.engines.padded import PaddedForward
from pipeline.engines.settings import BatchedSettings, ReferenceSettings, workers_for
from pipeline.library import load_encoder
from pipeline.model import Reader
from tests.pipeline import tiny
from tests.pipeline.tiny import windows


def padded(reader: Reader, pieces: int) -> BatchedEngine:
    return BatchedEngine(PaddedForward(reader.float().eval(), "cpu"), Budget(pieces), {})


def close(first: list[torch.Tensor], second: list[torch.Tensor], tolerance: float) -> bool:
    pairs = zip(first, second, strict=True)
    return all(a.shape == b.shape and torch.allclose(a, b, atol=tolerance) for a, b in pairs)


@pytest.mark.parametrize("pieces", [1, 40, 300, 100_000, None])
def test_the_packed_engine_answers_as_the_slow_one_in_the_order_of_the_questions(
    model: Model, pieces: int | None
) -> None:
    questions = windows(3, 65)
    slow = ReferenceSettings().build(copy.deepcopy(model.reader)).encode(questions)
    engine = BatchedSettings(pieces=pieces).build(copy.deepcopy(model.reader))
    assert engine.describe()["engine"] == "packed"
    fast = engine.encode(questions)
    assert [len(v) for v in fast] == [len(q) for q in questions]
    assert close(slow, fast, 1e-5)


@pytest.mark.parametrize("kind", ["modernbert", "bert"])
@pytest.mark.parametrize("pieces", [1, 300, 100_000])
def test_the_padded_engine_answers_as_the_slow_one(tmp_path: Path, kind: str, pieces: int) -> None:
    reader, _, _ = load_encoder(str(tiny.encoder(tmp_path, kind)), tiny.SETTINGS)
    questions = windows(3, 65)
    slow = ReferenceSettings().build(reader).encode(questions)
    assert close(slow, padded(reader, pieces).encode(questions), 1e-5)


def test_an_encoder_that_the_packed_pass_does_not_know_is_padded(tmp_path: Path) -> None:
    reader, _, _ = load_encoder(str(tiny.encoder(tmp_path, "bert")), tiny.SETTINGS)
    assert isinstance(reader.encoder, BertModel)
    assert BatchedSettings().build(reader).describe()["engine"] == "padded"


def test_layers_that_look_less_far_than_a_window_are_not_packed(model: Model) -> None:
    encoder = copy.deepcopy(model.reader.encoder)
    assert isinstance(encoder, ModernBertModel)
    assert modernbert.fits(encoder.config, encoder.config.sliding_window)
    assert "sliding_attention" in encoder.config.layer_types
    assert not modernbert.fits(encoder.config, encoder.config.sliding_window + 1)


@pytest.mark.parametrize("kind", ["modernbert", "bert"])
def test_bfloat16_is_close(tmp_path: Path, kind: str) -> None:
    reader, _, _ = load_encoder(str(tiny.encoder(tmp_path, kind)), tiny.SETTINGS)
    questions = windows(4, 20)
    slow = ReferenceSettings().build(copy.deepcopy(reader)).encode(questions)
    fast = BatchedSettings(dtype="bfloat16").build(reader).encode(questions)
    assert all(v.dtype == torch.float32 for v in fast)
    assert close(slow, fast, 0.1)


def area(lengths: list[int]) -> int:
    return len(lengths) * lengths[0]


@given(st.lists(st.integers(1, 500), max_size=80), st.integers(1, 2000), st.sampled_from([sum, area]))
def test_the_plan_asks_everything_once_within_the_budget(
    lengths: list[int], budget: int, cost: batching.Cost
) -> None:
    order = batching.longest_first(lengths)
    assert sorted(order) == list(range(len(lengths)))
    ordered = [lengths[position] for position in order]
    assert ordered == sorted(lengths, reverse=True)
    start = 0
    while start < len(ordered):
        stop = batching.take(ordered, start, budget, cost)
        assert stop > start
        assert stop - start == 1 or cost(ordered[start:stop]) <= budget
        assert stop == len(ordered) or cost(ordered[start : stop + 1]) > budget
        start = stop


class Scarce:
    """A forward pass on a machine whose memory ends at so many pieces; what it fails at changes."""

    concurrent = True

    def __init__(self, room: list[int], error: Exception) -> None:
        self.room, self.error = room, error
        self.sizes: list[int] = []

    def cost(self, lengths: list[int]) -> int:
        return sum(lengths)

    def __call__(self, windows: Windows) -> torch.Tensor:
        size = sum(map(len, windows))
        if size > self.room[len(self.sizes) % len(self.room)]:
            self.sizes.append(-size)
            raise self.error
        self.sizes.append(size)
        return torch.from_numpy(np.concatenate(windows)).float()[:, None]


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    MemoryError(),
    RuntimeError("std::bad_alloc"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("seed", range(60))
def test_where_memory_ends_nothing_is_lost_or_reordered(error: Exception, seed: int) -> None:
    random = np.random.default_rng(seed)
    questions = windows(seed, 200)
    forward = Scarce(random.integers(25, 900, size=37).tolist(), error)
    engine = BatchedEngine(forward, Budget(800), {})
    answers = engine.encode(questions)
    for question, answer in zip(questions, answers, strict=True):
        assert answer[:, 0].tolist() == question.tolist()
    failed = [size for size in forward.sizes if size < 0]
    assert engine.describe()["out_of_memory"] == len(failed)


def test_a_batch_that_does_not_fit_is_halved_and_grows_again() -> None:
    questions = [np.arange(10)] * 3000
    forward = Scarce([*([250] * 8), *([10_000] * 400)], ERRORS[0])
    BatchedEngine(forward, Budget(1000), {}).encode(questions)
    assert forward.sizes[:3] == [-1000, -500, 250]
    assert max(forward.sizes) == 1000


def test_a_window_that_does_not_fit_alone_is_an_error_of_its_own() -> None:
    engine = BatchedEngine(Scarce([20], ERRORS[0]), Budget(100), {})
    with pytest.raises(WindowError, match="no memory for a window of 30 pieces alone"):
        engine.encode([np.arange(5), np.arange(30)])


def test_another_error_is_not_taken_for_a_want_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes do not match"):
        BatchedEngine(Scarce([0], RuntimeError("shapes do not match")), Budget(8), {}).encode(windows(1, 3))


def test_auto_is_what_the_machine_has(model: Model) -> None:
    told = BatchedSettings("auto", "auto").build(copy.deepcopy(model.reader)).describe()
    able = torch.cpu.get_capabilities()
    native = able.get("avx512_bf16") or able.get("amx_bf16")
    if torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    assert told["dtype"] == ("bfloat16" if native else "float32")


def test_what_is_not_there_is_said(model: Model) -> None:
    with pytest.raises(InputError, match=r"engine\.dtype=float7: expected one of"):
        BatchedSettings(dtype="float7").build(model.reader)
    with pytest.raises(InputError, match=r"engine\.device=warp: no such device"):
        BatchedSettings(device="warp").build(model.reader)
    with pytest.raises(InputError, match=r"engine\.device=meta: expected auto, cpu or cuda"):
        BatchedSettings(device="meta").build(model.reader)
    told = BatchedSettings(device="cpu:0", dtype="auto").build(copy.deepcopy(model.reader)).describe()
    assert told == BatchedSettings(dtype="auto").build(copy.deepcopy(model.reader)).describe()
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="no CUDA device"):
            BatchedSettings(device="cuda").build(model.reader)


def test_messages_of_memory_are_told_from_others() -> None:
    assert all(is_out_of_memory(error) for error in ERRORS)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))


@pytest.mark.parametrize(
    ("threads", "workers"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 1), (6, 3), (7, 1), (8, 4), (10, 2), (16, 4)]
)
def test_workers_leave_as_few_threads_as_can_be_without_work(
    threads: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert workers_for("cpu", concurrent=True) == workers
    assert workers_for("cpu", concurrent=False) == 1
    assert workers_for("cuda", concurrent=False) == 2
