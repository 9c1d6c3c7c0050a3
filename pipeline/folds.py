"""One fold with one seed: train, fit thresholds, save, predict the test documents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from annotations.document import Document, text_sha256
from annotations.formats.reading import write_whole
from pipeline import checkpoint, fitting, versions
from pipeline.checkpoint import Model, Origin
from pipeline.engines.settings import BatchedSettings
from pipeline.examples import read_examples
from pipeline.mixing import Beside
from pipeline.prediction import Failed, Predictor
from pipeline.protocols import Fold
from pipeline.scoring import Scored, scored
from pipeline.settings import TrainSettings
from pipeline.tracking import Tracker, open_trackers
from pipeline.training import Epoch, forget, train

DONE = "fold.json"
Report = Callable[[Fold, int, Epoch], None]


def train_fold(
    settings: TrainSettings,
    fold: Fold,
    seed: int,
    folder: Path,
    report: Report,
    beside: Sequence[Beside] = (),
) -> Scored:
    """Train a model into ``folder``/checkpoint and read the fold's test documents with it.

    Documents of other corpora are seen ``beside`` those of the fold, but none whose text it tests.
    A fold that is already there, trained with the same settings on the same documents, is not trained
    again: a killed cross-validation goes on where it was.
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    target = folder / "checkpoint"
    kept = {text_sha256(document.text) for document in (*fold.development, *fold.test)}
    beside = [corpus.without(kept) for corpus in beside]
    key = _key(settings, fold, seed, beside)
    if not _is_done(folder, key):
        _train(settings, fold, seed, folder, report, beside)
        write_whole(folder / DONE, versions.to_json({"key": key}))
    forget(folder / "state")
    model = checkpoint.load(target)
    predictor = Predictor(model, BatchedSettings().build(model.reader))
    results = []
    asked = {}
    for result in predictor.read(fold.test):
        if isinstance(result, Failed):
            raise RuntimeError(f"{result.document.id}: {result.reason}")
        results.append((result.document, result.annotation, result.given))
        asked[result.document.id] = result.asked
    return scored(results, asked)


def _key(settings: TrainSettings, fold: Fold, seed: int, beside: Sequence[Beside]) -> str:
    parts: dict[str, Any] = {
        "encoder": (settings.encoder, settings.encoder.weights()),
        "head": settings.head,
        "optimization": settings.optimization,
        "seed": seed,
        "train": _digests(fold.train),
        "development": _digests(fold.development),
        "weights": settings.weights,
    }
    if beside:
        mix = [(b.name, b.scheme, b.share, _digests(b.documents)) for b in beside]
        parts |= {"mix": mix, "mix_weight": settings.mix_weight}
    return versions.fingerprint(parts)


def _digests(documents: Sequence[Document]) -> list[str]:
    return [versions.fingerprint(document) for document in documents]


def _is_done(folder: Path, key: str) -> bool:
    file = folder / DONE
    return file.is_file() and json.loads(file.read_text("utf-8"))["key"] == key


def _train(
    settings: TrainSettings,
    fold: Fold,
    seed: int,
    folder: Path,
    report: Report,
    beside: Sequence[Beside],
) -> None:
    torch.manual_seed(seed)  # the heads start from it
    reader, tokenizer, hugging = settings.encoder.build(settings.head)
    reader.learn_schemes(dict.fromkeys(corpus.scheme for corpus in beside))
    reach = settings.head.reach
    examples = read_examples(fold.train, tokenizer, reach)
    development = read_examples(fold.development, tokenizer, reach)
    trackers = open_trackers(settings.trackers, folder, f"{fold.name}, seed {seed}")
    history = train(
        reader,
        examples,
        development,
        settings.optimization,
        seed,
        folder / "state",
        streams=[corpus.stream(tokenizer, reach, settings.mix_weight) for corpus in beside],
        report=lambda epoch: _tell(epoch, trackers, lambda: report(fold, seed, epoch)),
    )
    for tracker in trackers:
        tracker.close()
    reader.cpu()
    mixed = [document for corpus in beside for document in corpus.documents]
    documents = (*fold.train, *fold.development, *mixed)
    origin = Origin(
        tuple(sorted({text_sha256(d.text) for d in documents} | set(settings.encoder.trained_on()))),
        {
            **settings.notes,
            "fold": fold.name,
            "seed": seed,
            "mix": {corpus.name: [len(corpus.documents), corpus.share] for corpus in beside},
            "versions": versions.installed(),
            "epochs": [vars_of(epoch) for epoch in history],
            "unaligned_mentions": sum(e.unaligned for e in examples),
            "relations_out_of_reach": sum(e.unasked for e in examples),
        },
    )
    model = Model(reader, tokenizer, fitting.fit(reader, development), origin, "")
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    checkpoint.save(model, hugging, folder / "checkpoint", settings.weights)


def _tell(epoch: Epoch, trackers: Sequence[Tracker], report: Callable[[], None]) -> None:
    values = {f"loss/{name}": value for name, value in epoch.losses.items()}
    values |= {"development/mentions": epoch.mentions, "development/relations": epoch.relations}
    for tracker in trackers:
        tracker.log(epoch.number, values)
    report()


def vars_of(epoch: Epoch) -> dict[str, Any]:
    """An epoch as plain values, rounded for reading."""
    return {
        "number": epoch.number,
        "losses": {name: round(value, 4) for name, value in epoch.losses.items()},
        "mentions": round(epoch.mentions, 4),
        "relations": round(epoch.relations, 4),
    }
