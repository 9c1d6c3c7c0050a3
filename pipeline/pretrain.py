"""python -m pipeline.pretrain: an encoder from plain text, by masked language modelling.

Started again with the same output folder, it goes on from the last checkpoint.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import shutil
import time
from collections.abc import Collection
from pathlib import Path

import accelerate
import tokenizers
import torch
import transformers

from pipeline.config import InputError, application
from pipeline.pretraining import batches, model
from pipeline.pretraining.loop import Loop
from pipeline.pretraining.model import MaskedPieces
from pipeline.pretraining.optimizers import OPTIMIZERS
from pipeline.pretraining.prepare import Prepared, prepare
from pipeline.pretraining.settings import Pretrain
from pipeline.pretraining.storage import Position, Storage


def main() -> None:
    application("pretrain", Pretrain, run)


def run(settings: Pretrain) -> int:
    """Prepare, train, and leave the encoder in the output folder. Raises InputError."""
    _choose("schedule.optimizer", settings.schedule.optimizer, OPTIMIZERS)
    _choose("encoder.positions", settings.encoder.positions, model.POSITIONS)
    if settings.start is not None and not (Path(settings.start) / "model.safetensors").is_file():
        raise InputError(
            f"start={settings.start}: no encoder there; expected a folder with model.safetensors"
        )
    folder = Path(settings.output)
    folder.mkdir(parents=True, exist_ok=True)
    prepared = prepare(settings, say)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(folder / "prepared" / name, folder / name)
    text = batches.build(settings, prepared)
    torch.manual_seed(settings.seed)
    encoder = _encoder(settings, prepared)
    loop = Loop(settings, encoder, text, Storage(folder))
    say(f"{sum(weight.numel() for weight in encoder.parameters()):,} weights; from step {loop.position.step}")
    _manifest(settings, prepared, loop.position, folder)
    position = loop.run(say)
    _manifest(settings, prepared, position, folder)
    return 0


def _encoder(settings: Pretrain, prepared: Prepared) -> MaskedPieces:
    if settings.start is not None:
        return model.further(settings.start)
    size = prepared.tokenizer.get_vocab_size()
    return model.build(settings.encoder, size, prepared.vectors, settings.vectors.scale)


def _choose(key: str, value: str, table: Collection[str]) -> None:
    if value not in table:
        raise InputError(f"{key}={value}: choose from {', '.join(table)}")


def say(line: str) -> None:
    """A line of progress, with the time of day."""
    print(time.strftime("%H:%M:%S"), line, flush=True)


def _manifest(settings: Pretrain, prepared: Prepared, position: Position, folder: Path) -> None:
    content = {
        "settings": dataclasses.asdict(settings),
        "corpora": prepared.digests,
        "pieces": {name: len(pieces) for name, pieces in prepared.train.items()},
        "held_out_pieces": {name: len(pieces) for name, pieces in prepared.held_out.items()},
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
            "accelerate": accelerate.__version__,
        },
        "ended": dataclasses.asdict(position),
    }
    partial = folder / "manifest.json.partial"
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(folder / "manifest.json")


if __name__ == "__main__":
    main()
