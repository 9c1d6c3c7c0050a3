"""Whether a score of 0.8 is right eight times in ten, and the temperature that makes it so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotations.document import Mention, Relation
from annotations.formats.reading import write_whole
from eval.align import Pair
from eval.metrics.relations import distinct

BINS = 10
_EDGE = 1e-6  # a score of exactly 0 or 1 would have no logit


@dataclass(frozen=True, slots=True)
class Bin:
    """The predictions whose score lies between two edges."""

    low: float
    high: float
    count: int
    score: float  # mean
    right: float  # share


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far scores are from shares. Lower is better for both; 0.0 for no predictions."""

    bins: tuple[Bin, ...]
    count: int
    error: float  # expected calibration error: mean distance of score and share, weighted by count
    brier: float  # mean squared distance of a score and what came true

    @property
    def is_telling(self) -> bool:
        """Whether there are scores at all: a prediction without scores has 1.0 throughout."""
        return self.count > 0 and any(bin_.score < 1.0 for bin_ in self.bins if bin_.count)


@dataclass(frozen=True, slots=True)
class Temperature:
    """Divides the logit of a score: above 1 it makes a model more modest. Stored beside its weights."""

    temperature: float
    fitted_on: int  # predictions
    error_before: float
    error_after: float

    def apply(self, score: float) -> float:
        """The calibrated score, between 0 and 1; the order of scores stays."""
        return float(_scaled(np.array([score]), self.temperature)[0])


def save_temperatures(path: Path, temperatures: Mapping[str, Temperature]) -> None:
    """Write as JSON, whole or not at all: by what the scores are of, "mentions" or "relations"."""
    record = {what: asdict(temperature) for what, temperature in temperatures.items()}
    write_whole(path, (json.dumps(record, indent=2) + "\n").encode())


def load_temperatures(path: Path) -> dict[str, Temperature]:
    """Read what save_temperatures wrote. Raises ValueError for a file that holds anything else."""
    record = json.loads(path.read_text("utf-8"))
    names = set(Temperature.__dataclass_fields__)
    sound = isinstance(record, dict) and all(
        isinstance(fields, dict)
        and set(fields) == names
        and all(isinstance(value, int | float) for value in fields.values())
        and fields["temperature"] > 0
        for fields in record.values()
    )
    if not sound:
        raise ValueError(
            f"{path}: no temperatures; expected {', '.join(sorted(names))}, all numbers, by kind"
        )
    return {what: Temperature(**fields) for what, fields in record.items()}


Sample = tuple[float, bool]  # score, whether it came true


def mention_samples(pairs: Iterable[Pair]) -> list[Sample]:
    """The score of each predicted mention, and whether gold has it too."""
    samples = []
    for pair in pairs:
        gold, predicted = pair.readings
        samples += _samples(predicted.mentions, set(gold.mentions))
    return samples


def relation_samples(pairs: Iterable[Pair]) -> list[Sample]:
    """The score of each predicted relation, end to end, and whether gold has it too."""
    samples = []
    for pair in pairs:
        gold, predicted = pair.readings
        samples += _samples(distinct(predicted.relations), set(distinct(gold.relations)))
    return samples


def _samples(
    predicted: Iterable[Mention] | Iterable[Relation], gold: set[Mention] | set[Relation]
) -> list[Sample]:
    return [(item.score, item in gold) for item in predicted]


def reliability(samples: Sequence[Sample], bins: int = BINS) -> Reliability:
    """Scores against shares, in bins of equal width; a score on an edge falls into the bin below it."""
    scores, right = _arrays(samples)
    edges = np.linspace(0.0, 1.0, bins + 1)
    index = np.clip(np.searchsorted(edges, scores, side="left") - 1, 0, bins - 1)
    rows, error = [], 0.0
    for number in range(bins):
        inside = index == number
        count = int(inside.sum())
        score = float(scores[inside].mean()) if count else 0.0
        share = float(right[inside].mean()) if count else 0.0
        error += count * abs(score - share)
        rows.append(Bin(float(edges[number]), float(edges[number + 1]), count, score, share))
    count = len(samples)
    brier = float(((scores - right) ** 2).mean()) if count else 0.0
    return Reliability(tuple(rows), count, error / count if count else 0.0, brier)


def fit_temperature(samples: Sequence[Sample]) -> Temperature:
    """The temperature between 0.05 and 20 under which what came true was likeliest.

    Raises ValueError for no samples: fit on a development set that has predictions.
    """
    if not samples:
        raise ValueError("no predictions to fit a temperature on; expected a development set with some")
    scores, right = _arrays(samples)
    low, high = np.log(0.05), np.log(20.0)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(80):  # the loss has one valley
        left, other = high - golden * (high - low), low + golden * (high - low)
        if _loss(scores, right, np.exp(left)) <= _loss(scores, right, np.exp(other)):
            high = other
        else:
            low = left
    temperature = float(np.exp((low + high) / 2))
    after = list(zip(_scaled(scores, temperature).tolist(), right > 0, strict=True))
    return Temperature(temperature, len(samples), reliability(samples).error, reliability(after).error)


def _arrays(samples: Sequence[Sample]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    table = np.array(samples, dtype=np.float64).reshape(len(samples), 2)
    return table[:, 0], table[:, 1]


def _scaled(scores: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    clipped = np.clip(scores, _EDGE, 1 - _EDGE)
    logits = np.log(clipped / (1 - clipped)) / temperature
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float64)


def _loss(scores: NDArray[np.float64], right: NDArray[np.float64], temperature: float) -> float:
    scaled = np.clip(_scaled(scores, temperature), 1e-12, 1 - 1e-12)
    return float(-(right * np.log(scaled) + (1 - right) * np.log(1 - scaled)).mean())
