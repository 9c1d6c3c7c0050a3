import json
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from pipeline import pretrain
from pipeline.config import InputError
from pipeline.pretraining import batches
from pipeline.pretraining.loop import Loop
from pipeline.pretraining.prepare import prepare
from pipeline.pretraining.storage import Position, Storage

from .conftest import tiny


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "master/model.safetensors")


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_resumed_run_ends_with_the_same_weights(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    chosen = f"schedule.optimizer={optimizer}"
    pretrain.run(tiny(corpora, tmp_path / "whole", chosen))
    take = Loop._step

    def stop(self: Loop, *batch: object) -> torch.Tensor:
        if self.position.step == 5:
            raise KeyboardInterrupt
        return take(self, *batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Loop, "_step", stop)
    with pytest.raises(KeyboardInterrupt):
        pretrain.run(tiny(corpora, tmp_path / "parts", chosen, "checkpoint_minutes=0"))
    monkeypatch.undo()
    pretrain.run(tiny(corpora, tmp_path / "parts", chosen))
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_the_folder_holds_an_encoder_that_loads(corpora: Path, tmp_path: Path) -> None:
    pretrain.run(tiny(corpora, tmp_path, "progress_seconds=0"))
    halved, master = AutoModel.from_pretrained(tmp_path), AutoModel.from_pretrained(tmp_path / "master")
    assert (halved.dtype, master.dtype) == (torch.bfloat16, torch.float32)
    assert set(master.config.layer_types) == {"full_attention"}
    kept = weights(tmp_path)
    assert all(torch.equal(weight, kept[name]) for name, weight in master.state_dict().items())
    ids = AutoTokenizer.from_pretrained(tmp_path)("Die Ministerin lobte Kiew.", return_tensors="pt")
    assert master(**ids).last_hidden_state.shape[-1] == 16
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["ended"]["step"] == 6 and manifest["ended"]["pieces"] == 6 * 4 * 16
    lines = (tmp_path / "pretraining_log.jsonl").read_text(encoding="utf-8").splitlines()
    log = [json.loads(line) for line in lines]
    assert [line["step"] for line in log if "loss" in line] == [1, 2, 3, 4, 5, 6]
    assert set(log[-1]["evaluation"]) == {"one", "two", "all", "all, a word"}
    assert log[-1]["evaluation"]["all, a word"] >= log[-1]["evaluation"]["all"]


def test_a_finished_run_does_nothing_more(corpora: Path, tmp_path: Path) -> None:
    pretrain.run(tiny(corpora, tmp_path))
    before = weights(tmp_path)
    pretrain.run(tiny(corpora, tmp_path))
    assert all(torch.equal(weight, before[name]) for name, weight in weights(tmp_path).items())


def test_a_run_learns(corpora: Path, tmp_path: Path) -> None:
    pretrain.run(tiny(corpora, tmp_path, "budget_steps=60", "schedule.rate=0.02", "progress_seconds=0"))
    lines = (tmp_path / "pretraining_log.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [line["loss"] for line in map(json.loads, lines) if "loss" in line]
    assert np.mean(losses[-10:]) < np.mean(losses[:5]) - 1


def test_held_out_text_is_never_trained_on_and_asks_the_same_every_time(
    corpora: Path, tmp_path: Path
) -> None:
    settings = tiny(corpora, tmp_path)
    first, again = (prepare(settings, print) for _ in range(2))
    for name in settings.sources:
        assert (first.train[name] == again.train[name]).all()
        end = first.tokenizer.token_to_id("[SEP]")
        trained, held = (
            {tuple(part[part != end]) for part in np.split(pieces, np.flatnonzero(pieces == end))}
            for pieces in (first.train[name], first.held_out[name])
        )
        assert trained & held <= {()}
        assert len(held) > 1
    one, two = (batches.build(settings, prepared).evaluation(8) for prepared in (first, again))
    assert all((a.ids == b.ids).all() for name in one for a, b in zip(one[name], two[name], strict=True))


def test_other_settings_prepare_anew(corpora: Path, tmp_path: Path) -> None:
    assert prepare(tiny(corpora, tmp_path), print).vectors is not None
    assert prepare(tiny(corpora, tmp_path, "vectors.contexts=0"), print).vectors is None


def test_an_encoder_is_trained_further(corpora: Path, tmp_path: Path) -> None:
    pretrain.run(tiny(corpora, tmp_path / "first"))
    # Another shape and vocabulary are told, and do not matter: the encoder has its own.
    settings = tiny(corpora, tmp_path / "second", "encoder.layers=3", "vocabulary=100", "budget_steps=1")
    settings.start = str(tmp_path / "first")
    settings.schedule.rate = settings.schedule.matrix_rate = 1e-9
    pretrain.run(settings)
    first, second = weights(tmp_path / "first"), weights(tmp_path / "second")
    assert first.keys() == second.keys()
    # The folder holds bfloat16: eight bits of the weights.
    assert all(torch.allclose(first[name], second[name], rtol=1 / 128, atol=1e-6) for name in first)
    told, kept = (tmp_path / name / "tokenizer.json" for name in ("first", "second"))
    assert told.read_bytes() == kept.read_bytes()


def test_an_encoder_that_is_not_there_is_said(corpora: Path, tmp_path: Path) -> None:
    settings = tiny(corpora, tmp_path / "out")
    settings.start = str(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"start=.*nowhere: no encoder there"):
        pretrain.run(settings)


def test_learned_positions_are_one_setting_away(corpora: Path, tmp_path: Path) -> None:
    pretrain.run(tiny(corpora, tmp_path, "encoder.positions=learned"))
    encoder = AutoModel.from_pretrained(tmp_path)
    assert type(encoder).__name__ == "BertModel"
    assert encoder.embeddings.position_embeddings.num_embeddings == 32
    with pytest.raises(InputError, match=r"encoder\.positions=guessed: choose from rotary, learned"):
        pretrain.run(tiny(corpora, tmp_path, "encoder.positions=guessed"))


def test_an_unknown_optimizer_is_refused(corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose from adamw, muon"):
        pretrain.run(tiny(corpora, tmp_path, "schedule.optimizer=sgd"))


def test_a_budget_is_one_of_two(corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="budget_minutes"):
        tiny(corpora, tmp_path, "budget_minutes=3")


def test_half_a_line_of_the_log_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "pretraining_log.jsonl").write_text('{"step": 0, "loss": 1.0}\n{"step": 0, "lo', "utf-8")
    assert Storage(tmp_path).resume(Accelerator(cpu=True)) == Position()
    assert (tmp_path / "pretraining_log.jsonl").read_text("utf-8") == '{"step": 0, "loss": 1.0}\n'
