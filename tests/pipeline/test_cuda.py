"""What runs on a graphics processor: on one that is there, and on one that only pretends to be."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from annotations.corpus import read_corpus
from annotations.document import Document
from pipeline import checkpoint, fitting
from pipeline.checkpoint import Model
from pipeline.config import InputError
from pipeline.engines import attention
from pipeline.engines.attention import Grouped, Varlen
from pipeline.engines.packed import PackedForward
from pipeline.engines.settings import BatchedSettings, ReferenceSettings
from pipeline.examples import read_examples
from pipeline.library import load_encoder
from pipeline.prediction import Predicted, Predictor
from tests.pipeline import tiny
from tests.pipeline.pretend import PretendCuda, slow_varlen
from tests.pipeline.tiny import alike, windows

DISPATCHES = Path(__file__).resolve().parents[2] / "annotations" / "gold" / "dispatches" / "test.jsonl"
HERE = torch.cuda.is_available()


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendCuda]:
    class Stream:
        def synchronize(self) -> None:
            mode.waited += 1

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "pretended")
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream())
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", slow_varlen)
    with PretendCuda() as mode:
        yield mode


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.25)])
def test_the_packed_pass_on_a_device_answers_as_the_slow_one(
    model: Model, pretend: PretendCuda, dtype: str, tolerance: float
) -> None:
    questions = windows(3, 65)
    slow = ReferenceSettings().build(copy.deepcopy(model.reader)).encode(questions)
    engine = BatchedSettings("cuda", dtype, pieces=300).build(copy.deepcopy(model.reader))
    assert engine.describe()["engine"] == "packed"
    for first, second in zip(slow, engine.encode(questions), strict=True):
        assert pretend.there(second)
        assert torch.allclose(first, second.cpu(), atol=tolerance)


def test_a_batch_in_half_precision_goes_there_in_one_copy_and_is_waited_for_once(
    model: Model, pretend: PretendCuda
) -> None:
    engine = BatchedSettings("cuda", "bfloat16", pieces=100_000).build(copy.deepcopy(model.reader))
    before = (pretend.copied_in, pretend.copied_out, pretend.waited)
    engine.encode(windows(5, 40))
    after = (pretend.copied_in, pretend.copied_out, pretend.waited)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 0, 1]


@pytest.mark.parametrize("kind", ["modernbert", "bert"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_documents_are_read_alike_on_a_device(
    tmp_path: Path, pretend: PretendCuda, dtype: str, kind: str
) -> None:
    if kind == "bert":
        reader, tokenizer, _ = load_encoder(str(tiny.encoder(tmp_path, kind)), tiny.SETTINGS)
        whole = checkpoint.load(checkpoint.find("embedded"))
        model = Model(reader.eval(), tokenizer, whole.thresholds, whole.origin, "")
    else:
        model = checkpoint.load(checkpoint.find("embedded"))
    documents = [*[*read_corpus(DISPATCHES, {})][:3], Document("empty", "")]
    slow = BatchedSettings("cpu", dtype).build(copy.deepcopy(model.reader))
    reader = copy.deepcopy(model.reader)
    engine = BatchedSettings("cuda", dtype, workers=1).build(reader)
    there = Model(reader, model.tokenizer, model.thresholds, model.origin, "")
    expected = list(Predictor(model, slow, chunk=100_000).read(documents))
    for one, other in zip(expected, Predictor(there, engine, chunk=100_000).read(documents), strict=True):
        assert isinstance(one, Predicted)
        assert isinstance(other, Predicted)
        if dtype == "float32":
            alike(other.annotation, one.annotation)
        else:  # rounded elsewhere
            first, second = (set(found.annotation.mentions) for found in (one, other))
            assert len(first ^ second) <= 0.1 * len(first | second)


def test_development_data_is_scored_where_the_model_is_trained(model: Model, pretend: PretendCuda) -> None:
    examples = read_examples([*read_corpus(DISPATCHES, {})][:2], model.tokenizer, 1)
    expected = fitting.fit(model.reader, examples)
    there = copy.deepcopy(model.reader).to("cuda")
    assert pretend.there(there.outer.score.weight)
    assert fitting.fit(there, examples) == expected
    assert fitting.development_score(there, examples) == fitting.development_score(model.reader, examples)


def test_what_is_compiled_for_a_device_computes_the_same(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", slow_varlen)
    monkeypatch.setattr(attention, "best", lambda *_: Varlen())
    compiler = torch.compile
    monkeypatch.setattr(torch, "compile", lambda what: compiler(what, backend="eager"))
    found = []
    for compiled in (False, True):
        reader = copy.deepcopy(model.reader)
        forward = PackedForward(
            reader.encoder,  # type: ignore[arg-type]
            reader.specials,
            "cpu",
            torch.bfloat16,
            compiled=compiled,
        )
        assert forward.compiled == compiled
        found.append(forward(windows(7, 30)))
    assert torch.allclose(*found, atol=0.25)


def test_compiling_is_for_modernbert_on_a_device_in_half_precision(
    model: Model, tmp_path: Path, pretend: PretendCuda
) -> None:
    reader, _, _ = load_encoder(str(tiny.encoder(tmp_path, "bert")), tiny.SETTINGS)
    for one, device, dtype, told in (
        (copy.deepcopy(model.reader), "cpu", "bfloat16", "packed on cpu in bfloat16"),
        (copy.deepcopy(model.reader), "cuda", "float32", "packed on cuda in float32"),
        (reader, "cuda", "bfloat16", "padded on cuda in bfloat16"),
    ):
        with pytest.raises(InputError, match=rf"engine\.compile=true: only ModernBERT .* not {told}"):
            BatchedSettings(device, dtype, compile=True).build(one)


@pytest.mark.parametrize(("built", "capability"), [(False, (9, 0)), (True, (7, 5))])
def test_a_device_without_the_kernel_groups_windows(
    model: Model,
    pretend: PretendCuda,
    monkeypatch: pytest.MonkeyPatch,
    built: bool,
    capability: tuple[int, int],
) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: built)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    questions = windows(3, 65)
    slow = ReferenceSettings().build(copy.deepcopy(model.reader)).encode(questions)
    engine = BatchedSettings("cuda", "bfloat16", pieces=300).build(copy.deepcopy(model.reader))
    assert isinstance(engine.forward, PackedForward)
    assert isinstance(engine.forward.attention, Grouped)
    for first, second in zip(slow, engine.encode(questions), strict=True):
        assert torch.allclose(first, second.cpu(), atol=0.25)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_pretended_device_is_as_strict_as_a_real_one(mixed: bool) -> None:
    with PretendCuda() as mode:
        there = torch.ones(3).to("cuda")
        assert there.device.type == "cuda"
        assert torch.ones(2).device.type == "cpu"
        if mixed:
            with pytest.raises(RuntimeError, match="beside"):
                there + torch.ones(3)
            with pytest.raises(RuntimeError, match="an index on the device"):
                torch.ones(3)[torch.zeros(2, dtype=torch.int64).to("cuda")]
            with pytest.raises(TypeError, match="numpy"):
                there.numpy()
        else:
            assert mode.there(there + 1)
            assert (there + there).cpu().numpy().tolist() == [2, 2, 2]
            assert not mode.there((there + there).cpu())


@pytest.mark.skipif(not HERE, reason="needs a CUDA device")
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-3), ("bfloat16", 0.3)])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_real_device_answers_as_the_slow_one(dtype: str, tolerance: float, compiled: bool) -> None:
    if compiled and dtype == "float32":
        pytest.skip("compiled in half precision alone")
    model = checkpoint.load(checkpoint.find("embedded"))
    questions = windows(3, 65)
    slow = ReferenceSettings().build(copy.deepcopy(model.reader)).encode(questions)
    engine = BatchedSettings("cuda", dtype, compile=compiled).build(copy.deepcopy(model.reader))
    for first, second in zip(slow, engine.encode(questions), strict=True):
        assert torch.allclose(first, second.cpu(), atol=tolerance)


@pytest.mark.skipif(not HERE, reason="needs a CUDA device")
@pytest.mark.parametrize("workers", [1, 2])
def test_documents_are_read_alike_on_a_real_device(workers: int) -> None:
    model = checkpoint.load(checkpoint.find("embedded"))
    documents = [*read_corpus(DISPATCHES, {})]
    reader = copy.deepcopy(model.reader)
    there = Model(reader, model.tokenizer, model.thresholds, model.origin, "")
    engine = BatchedSettings("cuda", "float32", workers=workers).build(reader)
    expected = Predictor(model, ReferenceSettings().build(copy.deepcopy(model.reader))).read(documents)
    for one, other in zip(expected, Predictor(there, engine, chunk=4096).read(documents), strict=True):
        assert isinstance(one, Predicted)
        assert isinstance(other, Predicted)
        assert one.annotation == other.annotation
    examples = read_examples(documents[:4], model.tokenizer, 1)
    assert fitting.development_score(reader, examples) == pytest.approx(
        fitting.development_score(model.reader, examples), abs=0.01
    )
