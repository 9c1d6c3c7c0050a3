from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.config import InputError
from pipeline.tracking import TRACKERS, open_trackers


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.filterwarnings("ignore")  # of the trackers' own libraries
def test_every_tracker_leaves_files_in_the_runs_folder(name: str, tmp_path: Path) -> None:
    if name != "tensorboard" and find_spec(name) is None:
        pytest.skip(f"{name} is an extra, and not installed")
    (tracker,) = open_trackers([name], tmp_path, "run")
    tracker.log(1, {"loss/total": 2.0})
    tracker.log(2, {"loss/total": 1.0})
    tracker.close()
    assert any(path.is_file() for path in (tmp_path / name).rglob("*"))


def test_an_unknown_tracker_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trackers: guess: expected some of tensorboard"):
        open_trackers(["guess"], tmp_path, "run")


def test_no_tracker_is_a_choice(tmp_path: Path) -> None:
    assert open_trackers([], tmp_path, "run") == []
    assert set(TRACKERS) == {"tensorboard", "mlflow", "trackio"}
