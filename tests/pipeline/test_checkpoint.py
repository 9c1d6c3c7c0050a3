from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModel,
    BertConfig,
    BertModel,
    CamembertConfig,
    CamembertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from annotations.document import Document
from pipeline import checkpoint, library
from pipeline.checkpoint import Model, Origin
from pipeline.config import InputError
from pipeline.decoding import Thresholds
from pipeline.engines.settings import BatchedSettings
from pipeline.prediction import Predicted, Predictor
from tests.pipeline import tiny

SHAPE = {
    "vocab_size": 400,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
}
PUBLIC = {
    "bert": (BertConfig, BertModel),
    "roberta": (RobertaConfig, RobertaModel),
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaModel),
    "camembert": (CamembertConfig, CamembertModel),
    "electra": (ElectraConfig, ElectraModel),
}


def test_a_saved_model_is_loaded_again(model: Model, model_folder: Path) -> None:
    again = checkpoint.load(model_folder)
    before, after = model.reader.state_dict(), again.reader.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert again.thresholds == model.thresholds
    assert len(again.digest) == 64


def test_the_encoder_loads_with_the_library_alone(model: Model, model_folder: Path) -> None:
    encoder = AutoModel.from_pretrained(model_folder)
    ids = torch.tensor([[2, 9, 10, 3]])
    with torch.inference_mode():
        assert torch.allclose(
            encoder(input_ids=ids).last_hidden_state,
            model.reader.encode(ids, torch.ones_like(ids, dtype=torch.bool)),
            atol=1e-6,
        )


@pytest.mark.parametrize("kind", PUBLIC)
def test_public_architectures_can_be_trained_from(kind: str, tmp_path: Path, small: Document) -> None:
    config, architecture = PUBLIC[kind]
    tiny.tokenizer(tmp_path)
    architecture(config(**SHAPE)).save_pretrained(tmp_path)
    reader, pieces, _ = library.load_encoder(str(tmp_path), replace(tiny.SETTINGS, window=32))
    loaded = Model(reader.eval(), pieces, checkpoint.Thresholds(), checkpoint.Origin(), "")
    (result,) = Predictor(loaded, BatchedSettings().build(reader)).read([small])
    assert isinstance(result, Predicted)


def test_distilbert_names_its_width_otherwise(tmp_path: Path) -> None:
    tiny.tokenizer(tmp_path)
    config = DistilBertConfig(vocab_size=400, dim=16, n_layers=1, n_heads=2, hidden_dim=24)
    DistilBertModel(config).save_pretrained(tmp_path)
    reader, _, _ = library.load_encoder(str(tmp_path), tiny.SETTINGS)
    assert reader.width == 16


def test_a_window_longer_than_the_encoder_is_refused(tmp_path: Path) -> None:
    tiny.tokenizer(tmp_path)
    BertModel(BertConfig(**SHAPE)).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"head\.window=99: the encoder has room for 38 pieces"):
        library.load_encoder(str(tmp_path), replace(tiny.SETTINGS, window=99))


def test_weights_may_be_stored_in_half(model: Model, encoder_folder: Path, tmp_path: Path) -> None:
    _, _, hugging = library.load_encoder(str(encoder_folder), tiny.SETTINGS)
    checkpoint.save(model, hugging, tmp_path, "bfloat16")
    assert {v.dtype for v in load_file(tmp_path / "heads.safetensors").values()} == {torch.bfloat16}
    again = checkpoint.load(tmp_path)
    assert {p.dtype for p in again.reader.parameters()} == {torch.float32}


@pytest.fixture
def copy(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["model.safetensors", "heads.safetensors", "config.json", "tokenizer.json"])
def test_one_flipped_bit_is_noticed(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(InputError, match=f"{name}: damaged"):
        checkpoint.load(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "heads.safetensors").unlink()
    with pytest.raises(InputError, match=r"heads\.safetensors: missing"):
        checkpoint.load(copy)


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no trained model"):
        checkpoint.load(tmp_path)


def test_an_encoder_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"encoder\.name=/nowhere: no encoder can be loaded"):
        library.load_encoder("/nowhere", tiny.SETTINGS)


@pytest.mark.parametrize(
    "key", ["auto_map", "_attn_implementation_internal", "trust_remote_code", "_target_"]
)
def test_a_configuration_that_could_run_code_is_refused(copy: Path, key: str) -> None:
    config = json.loads((copy / "config.json").read_text("utf-8"))
    config["nested"] = [{key: "evil--code.Model"}]
    (copy / "config.json").write_text(json.dumps(config), "utf-8")
    checkpoint.write_sums(copy)
    with pytest.raises(InputError, match=key):
        checkpoint.load(copy)


def test_another_scheme_is_refused(copy: Path) -> None:
    card = json.loads((copy / "depesche.json").read_text("utf-8"))
    card["entities"].append("CITY")
    (copy / "depesche.json").write_text(json.dumps(card), "utf-8")
    checkpoint.write_sums(copy)
    with pytest.raises(InputError, match="not those of this scheme"):
        checkpoint.load(copy)


def test_a_tokenizer_that_cuts_texts_is_told_not_to(tmp_path: Path) -> None:
    folder = tiny.encoder(tmp_path)
    described = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    described["truncation"] = {
        "max_length": 5,
        "stride": 0,
        "strategy": "LongestFirst",
        "direction": "Right",
    }
    (folder / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    for load in (library.load_encoder, library.random_encoder):
        _, tokenizer, _ = load(str(folder), tiny.SETTINGS)
        assert len(tokenizer.encode(tiny.SENTENCE, add_special_tokens=False).ids) > 5


@pytest.mark.parametrize("kind", ["modernbert", "bert"])
def test_attention_by_products_gives_the_same_vectors_and_leaves_no_trace(tmp_path: Path, kind: str) -> None:
    folder = tiny.encoder(tmp_path / "encoder", kind, spread=0.3)
    reader, tokenizer, hugging = library.load_encoder(str(folder), tiny.SETTINGS)
    reader.eval()
    ids = torch.tensor(
        [tokenizer.encode(tiny.SENTENCE).ids[:9], [*tokenizer.encode("Riga Laut").ids[:2], *[0] * 7]]
    )
    mask = ids > 0
    with torch.no_grad():
        fused = reader.encode(ids, mask)
        library.attend_by_products(reader.encoder, torch.device("cuda"))
        assert reader.encoder.config._attn_implementation == "sdpa"
        library.attend_by_products(reader.encoder, torch.device("cpu"))
        assert reader.encoder.config._attn_implementation == "eager"
        torch.testing.assert_close(reader.encode(ids, mask)[mask], fused[mask], atol=1e-5, rtol=1e-4)
    checkpoint.save(Model(reader, tokenizer, Thresholds(), Origin(), ""), hugging, tmp_path / "saved")
    again = checkpoint.load(tmp_path / "saved")
    assert again.reader.encoder.config._attn_implementation == "sdpa"
