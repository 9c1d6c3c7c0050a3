"""Train models and score them on documents that they have not seen: ``python -m pipeline.train``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from annotations.formats.jsonl import write_jsonl
from annotations.formats.reading import write_whole
from annotations.schemes import OWN
from pipeline import versions
from pipeline.config import InputError, application, dump, output_folder
from pipeline.corpora import Corpus
from pipeline.mixing import read_beside
from pipeline.protocols import PROTOCOLS, Fold, joined
from pipeline.scoring import Scored, baseline, merge, score, summary
from pipeline.settings import TrainSettings

if TYPE_CHECKING:
    from pipeline.training import Epoch


def task(settings: TrainSettings) -> int:
    """Train every fold with every seed, score, and leave one folder."""
    from pipeline.folds import train_fold  # torch comes in here, after the settings were checked

    if settings.protocol not in PROTOCOLS:
        raise InputError(f"protocol={settings.protocol}: expected one of {', '.join(PROTOCOLS)}")
    started = time.perf_counter()
    output = output_folder(settings.output)
    own = {name: corpus for name, corpus in settings.corpora.items() if corpus.scheme == OWN}
    corpora = {name: corpus.read() for name, corpus in own.items()}
    foreign = {name: corpus for name, corpus in settings.corpora.items() if name not in own}
    beside = read_beside(foreign, settings.mix)
    folds = PROTOCOLS[settings.protocol](corpora, settings.leave_out)
    _require_training(folds)
    write_whole(output / "config.yaml", dump(settings).encode())
    print(f"{len(folds)} model(s) × {len(settings.seeds)} seed(s); {_sizes(corpora)}")
    scored: list[list[Scored]] = []  # by seed, fold by fold
    for seed in settings.seeds:
        parts: list[Scored] = []
        for fold in folds:
            folder = output / _name(fold, seed, settings, len(folds))
            parts.append(train_fold(settings, fold, seed, folder, _print_epoch, beside))
        scored.append(parts)
        if len(settings.seeds) > 1:  # what a comparison of runs reads
            text = f"{dump(settings)}seed: {seed}\n"
            write_whole(output / _seed_name(seed, settings) / "config.yaml", text.encode())
    _score(settings, folds, scored)
    manifest = {
        "versions": versions.installed(),
        "seconds": round(time.perf_counter() - started, 1),
        "documents": {name: _counts(corpus) for name, corpus in corpora.items()},
        "documents_beside": {corpus.name: len(corpus.documents) for corpus in beside},
        "settings": asdict(settings),
    }
    write_whole(output / "manifest.json", versions.to_json(manifest))
    return 0


def _score(settings: TrainSettings, folds: Sequence[Fold], scored: Sequence[Sequence[Scored]]) -> None:
    """Reports of every seed and of the baseline: of all folds as one corpus, or of each fold for itself."""
    output, tables = Path(settings.output), []
    for group in [folds] if joined(folds) else [[fold] for fold in folds]:
        here = Path() if joined(folds) else Path("folds") / group[0].folder
        wholes = [
            merge([part for fold, part in zip(folds, parts, strict=True) if fold in group])
            for parts in scored
        ]
        if not wholes[0].documents:
            continue
        for seed, whole in zip(settings.seeds, wholes, strict=True):
            _leave(output / _seed_name(seed, settings) / here, whole, f"seed {seed}")
        beside = baseline(group)
        _leave(output / "baseline" / here, beside, "baseline")
        title = "" if joined(folds) else f"## {group[0].name}\n\n"
        tables.append(title + summary(wholes, beside))
    if tables:
        text = "\n".join(tables)
        write_whole(output / "scores.md", text.encode())
        print(text)


def _require_training(folds: Sequence[Fold]) -> None:
    empty = [fold.name for fold in folds if not fold.train]
    if empty:
        raise InputError(
            f"no training documents in {', '.join(empty)}; name a corpus with a train split under corpora"
        )


def _name(fold: Fold, seed: int, settings: TrainSettings, folds: int) -> Path:
    return _seed_name(seed, settings) / (Path() if folds == 1 else Path("folds") / fold.folder)


def _seed_name(seed: int, settings: TrainSettings) -> Path:
    return Path() if len(settings.seeds) == 1 else Path(f"seed-{seed}")


def _leave(folder: Path, scored: Scored, name: str) -> None:
    from eval.run import write_report

    write_jsonl(folder / "predictions.jsonl", scored.predicted, scores=True)
    write_jsonl(folder / "given.jsonl", scored.given, scores=True)
    write_report(score(scored, name), folder)


def _sizes(corpora: dict[str, Corpus]) -> str:
    return "; ".join(f"{name}: {_counts(corpus)}" for name, corpus in corpora.items())


def _counts(corpus: Corpus) -> dict[str, int]:
    return {split: len(getattr(corpus, split)) for split in ("train", "development", "test")}


def _print_epoch(fold: Fold, seed: int, epoch: Epoch) -> None:
    losses = " ".join(f"{name} {value:.3f}" for name, value in epoch.losses.items())
    print(
        f"{fold.name} seed {seed} epoch {epoch.number:3d}  {losses}  "
        f"mentions {epoch.mentions:.3f} relations {epoch.relations:.3f}",
        flush=True,
    )


def main() -> None:
    """The command line."""
    application("train", TrainSettings, task)


if __name__ == "__main__":
    main()
