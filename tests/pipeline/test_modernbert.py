"""An encoder without the library: the same pieces and vectors; what it does not know is left alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from annotations.corpus import read_corpus
from pipeline import checkpoint, modernbert
from pipeline.checkpoint import Model
from pipeline.engines.settings import BatchedSettings, OpenVinoSettings, ReferenceSettings
from pipeline.folder import EMBEDDED
from pipeline.modernbert import ModernBert

GOLD = Path(__file__).resolve().parent.parent.parent / "annotations" / "gold" / "dispatches"


@pytest.fixture(scope="module")
def both() -> tuple[Model, Model]:
    return checkpoint.load(EMBEDDED, bare=True), checkpoint.load(EMBEDDED)


def test_pieces_and_special_pieces_are_the_librarys(both: tuple[Model, Model]) -> None:
    bare, whole = both
    assert isinstance(bare.reader.encoder, ModernBert)
    assert not isinstance(whole.reader.encoder, ModernBert)
    assert bare.reader.specials == whole.reader.specials
    for document in read_corpus(GOLD / "test.jsonl", {}):
        one, other = (
            model.tokenizer.encode(document.text, add_special_tokens=False) for model in (bare, whole)
        )
        assert one.ids == other.ids
        assert one.offsets == other.offsets


def test_the_vectors_are_those_of_the_librarys_own_pass(both: tuple[Model, Model]) -> None:
    bare, whole = both
    random = np.random.default_rng(3)
    windows = [random.integers(5, 30_000, length) for length in (254, 254, 100, 31, 16, 1)]
    slow = ReferenceSettings().build(whole.reader).encode(windows)
    fast = BatchedSettings().build(bare.reader).encode(windows)
    for one, other in zip(slow, fast, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"model_type": "bert"}),
        ("config.json", {"hidden_activation": "silu"}),
        ("config.json", {"layer_types": ["full_attention"] * 4 + ["sliding_attention"]}),
        ("config.json", {"rope_parameters": {"full_attention": {"rope_theta": 1.0, "rope_type": "yarn"}}}),
        ("config.json", {"hidden_size": 128}),
        ("config.json", {"max_position_embeddings": 255}),
        ("config.json", {"norm_eps": None}),
        ("config.json", {"rope_parameters": {"full_attention": {"rope_theta": 1.0}}}),
        ("tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer"}),
        ("tokenizer_config.json", {"split_special_tokens": True}),
    ],
)
def test_what_it_does_not_know_is_left_to_the_library(
    tmp_path: Path, both: tuple[Model, Model], file: str, change: dict[str, Any]
) -> None:
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"):
        shutil.copyfile(EMBEDDED / name, tmp_path / name)
    settings = both[1].reader.settings
    assert modernbert.read(tmp_path, settings) is not None
    told = json.loads((tmp_path / file).read_text("utf-8")) | change
    told = {key: value for key, value in told.items() if value is not None}
    (tmp_path / file).write_text(json.dumps(told), "utf-8")
    assert modernbert.read(tmp_path, settings) is None


def test_only_the_packed_pass_does_without_the_library() -> None:
    assert BatchedSettings().bare()
    assert not OpenVinoSettings().bare()
    assert not ReferenceSettings().bare()


def test_a_run_with_the_embedded_model_never_imports_the_library(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(
        "Der russische Präsident Wladimir Putin traf Kim Jong Un in Moskau.", "utf-8"
    )
    code = (
        "import sys\nfrom pipeline.run import main\n"
        f"sys.argv = ['run', 'input={tmp_path}/one.txt', 'output={tmp_path}/out', 'progress=false']\n"
        "main()\nprint([name for name in ('transformers', 'scipy', 'accelerate') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
