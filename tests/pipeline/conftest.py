from __future__ import annotations

from pathlib import Path

import pytest
from accelerate.state import AcceleratorState

from pipeline import checkpoint, library
from pipeline.checkpoint import Model
from tests.pipeline import tiny


@pytest.fixture(autouse=True)
def another_precision_may_follow() -> None:
    """Accelerate allows one precision a process; tests train in several."""
    AcceleratorState._reset_state()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where engines remember sizes of batches: not the user's file."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "depesche" / "batches.json"


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return tiny.model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def model_folder(model: Model, encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model's folder, with random weights."""
    folder = tmp_path_factory.mktemp("saved")
    _, _, hugging = library.load_encoder(str(encoder_folder), tiny.SETTINGS)
    checkpoint.save(model, hugging, folder)
    return folder
