"""Where a training run's curves go: files beside the model. Nothing is sent anywhere.

TensorBoard's files by default; MLflow and Trackio where they are installed (extras ``mlflow``, ``trackio``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from pipeline.config import InputError


class Tracker(Protocol):
    """Takes the numbers of an epoch; closed at the end."""

    def log(self, epoch: int, values: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


class TensorBoard:
    """Event files in FOLDER/tensorboard."""

    def __init__(self, folder: Path, name: str) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(logdir=str(folder / "tensorboard"))

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            self._writer.add_scalar(key, value, epoch)

    def close(self) -> None:
        self._writer.close()


class MLflow:
    """A local store in FOLDER/mlflow; ``mlflow ui --backend-store-uri FOLDER/mlflow`` shows it."""

    def __init__(self, folder: Path, name: str) -> None:
        # The small package has no data base of its own; files are what it can keep without a server.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow

        store = (folder / "mlflow").resolve().as_uri()
        self._client = mlflow.MlflowClient(tracking_uri=store, registry_uri=store)
        experiment = self._client.get_experiment_by_name("depesche")
        number = experiment.experiment_id if experiment else self._client.create_experiment("depesche")
        self._run = self._client.create_run(number, run_name=name).info.run_id

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            self._client.log_metric(self._run, key, value, step=epoch)

    def close(self) -> None:
        self._client.set_terminated(self._run)


class Trackio:
    """A local data base in FOLDER/trackio; no space is named, so nothing leaves the machine.

    The library looks for its folder once: all runs of a process are in that of the first.
    """

    def __init__(self, folder: Path, name: str) -> None:
        os.environ.setdefault("TRACKIO_DIR", str(folder / "trackio"))
        import trackio

        self._trackio: Any = trackio
        trackio.init(project="depesche", name=name, space_id=None, embed=False)

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        self._trackio.log(dict(values), step=epoch)

    def close(self) -> None:
        self._trackio.finish()


TRACKERS: dict[str, Callable[[Path, str], Tracker]] = {
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
    "trackio": Trackio,
}


def open_trackers(names: list[str], folder: Path, run: str) -> list[Tracker]:
    """The trackers of a run. Raises InputError for one that is unknown or not installed."""
    opened: list[Tracker] = []
    for name in names:
        if name not in TRACKERS:
            raise InputError(f"trackers: {name}: expected some of {', '.join(TRACKERS)}")
        try:
            opened.append(TRACKERS[name](folder, run))
        except ImportError as error:
            raise InputError(f"trackers: {name}: not installed; pip install 'depesche[{name}]'") from error
    return opened
