"""Configuration: every YAML file composes, and everything wrong is one clear line."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from pipeline.config import CONFIGS, SettingsError, dump, load
from pipeline.run import ENGINES, RunSettings
from pipeline.settings import GermevalSettings, TrainSettings

GIVEN = ["input=x", "output=y"]


@pytest.fixture(autouse=True)
def engines() -> None:
    for name, engine in ENGINES.items():
        ConfigStore.instance().store(group="engine", name=f"{name}_schema", node=engine)


def group(name: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / name).glob("*.yaml"))


@pytest.mark.parametrize("engine", group("engine"))
def test_every_engine_composes(engine: str) -> None:
    settings = load("run", RunSettings, [*GIVEN, f"engine={engine}"])
    assert type(settings.engine) in ENGINES.values()


@pytest.mark.parametrize("name", ["encoder", "head", "optimization", "corpus", "experiment"])
def test_every_choice_of_a_training_run_composes(name: str) -> None:
    for choice in group(name):
        slot = "corpus@corpora.dispatches" if name == "corpus" else name
        load("train", TrainSettings, ["output=y", f"{slot}={choice}"])


@pytest.mark.parametrize("name", ["encoder", "head", "optimization", "corpus"])
def test_every_choice_of_a_germeval_run_composes(name: str) -> None:
    for choice in group(name):
        slot = "corpus@corpora.germeval" if name == "corpus" else name
        load("germeval", GermevalSettings, ["output=y", "labelled=x", f"{slot}={choice}"])


def test_a_share_of_a_corpus_is_set_on_the_command_line() -> None:
    given = ["output=y", "labelled=x", "+corpus@corpora.times=wikiwars_de", "+mix.times=0.5"]
    settings = load("train", TrainSettings, given)
    assert settings.mix == {"times": 0.5}
    assert settings.corpora["times"].path == "x/wikiwars_de"
    assert settings.corpora["times"].scheme == "timex"


def test_every_yaml_file_is_reached_by_a_test() -> None:
    groups = {"engine", "encoder", "head", "optimization", "corpus", "experiment"}
    files = {path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml")}
    top = {"run.yaml", "train.yaml", "pretrain.yaml", "germeval.yaml"}
    assert files == top | {f"{g}/{stem}.yaml" for g in groups for stem in group(g)}


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        (["typo=1"], "typo"),
        (["+typo=1"], "typo: unknown key"),
        (["+engine.typo=1"], "engine.typo: unknown key"),
        (["limit=many"], "limit"),
        (["engine.pieces=many"], "pieces"),
        (["engine=warp"], "engine/warp"),
        (["input"], "input"),
        (["limit=[1"], "limit"),
    ],
)
def test_a_wrong_setting_is_named(overrides: list[str], what: str) -> None:
    with pytest.raises(SettingsError) as error:
        load("run", RunSettings, [*GIVEN, *overrides])
    assert what in str(error.value)
    assert "\n" not in str(error.value)


def test_everything_missing_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        load("run", RunSettings)
    assert {line.split(":")[0] for line in str(error.value).splitlines()} == {"input", "output"}


def test_embeddings_learn_as_fast_as_their_encoder_unless_told_otherwise() -> None:
    large = load("train", TrainSettings, ["output=x", "optimization=large"]).optimization
    assert large.embedding_rate == large.encoder_rate < 1e-4
    fast = load("train", TrainSettings, ["output=x", "optimization.encoder_rate=0.1"]).optimization
    assert fast.embedding_rate == 0.1


def test_random_embeddings_cannot_stay_as_they_are() -> None:
    with pytest.raises(SettingsError, match="would stay random"):
        load("train", TrainSettings, ["output=x", "encoder.random=true", "optimization.embedding_rate=0"])


def test_what_is_kept_is_what_was_used() -> None:
    settings = load("run", RunSettings, [*GIVEN, "limit=3"])
    again = OmegaConf.create(dump(settings))
    assert again.limit == 3
    assert {field.name for field in fields(RunSettings)} == set(again)


def depesche(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.run", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("+typo=1", *GIVEN),
        ("limit=many", *GIVEN),
        ("input=/nowhere", "output=y"),
        ("output=y",),
        ("model=/nowhere", "input=README.md", "output=y"),
    ],
)
def test_the_command_says_one_line_and_exits_with_2(arguments: tuple[str, ...]) -> None:
    result = depesche(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not Path("y").exists()


def test_help_does_not_import_torch() -> None:
    code = (
        "import sys; sys.argv = ['x', '--help']\n"
        "import pipeline.run\n"
        "try: pipeline.run.main()\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "input" in result.stdout
