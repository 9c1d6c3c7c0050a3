"""Which shape of encoder learns most in the same minutes, and how fast it reads.

python scripts/compare_encoders.py --corpora DIR --minutes 4 runs/shapes

Each shape is pretrained alone, on the same text, for the same time, and then reads held-out text. Losses are
in nats, a hidden piece and a hidden word: the latter compares vocabularies of different sizes. Started
again, it goes on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from annotations.corpus import read_corpus

GOLD = Path(__file__).resolve().parent.parent / "annotations" / "gold"

SHAPES: dict[str, tuple[str, ...]] = {
    "5 × 256, rotary, 32,000": (),
    "5 × 256, random start": ("vectors.contexts=0",),
    "5 × 256, Muon": ("schedule.optimizer=muon",),
    "5 × 256, learned positions": ("encoder.positions=learned", "encoder.inner=576"),
    "3 × 384": ("encoder.layers=3", "encoder.width=384", "encoder.heads=6", "encoder.inner=576"),
    "8 × 192": ("encoder.layers=8", "encoder.width=192", "encoder.heads=3", "encoder.inner=288"),
    "5 × 256, 16,000 pieces": ("vocabulary=16000",),
    "5 × 256, 8,000 pieces": ("vocabulary=8000",),
}
_SOURCES = ("wikipedia_de", "klexikon", "speeches_bundestagspraesident")
_ROWS, _WIDTH, _ROUNDS = 32, 128, 7


def pretrain(corpora: Path, minutes: float, folder: Path, overrides: Sequence[str]) -> None:
    """One run in a process of its own; what an earlier run of the same kind prepared is taken over."""
    prepared = folder / "prepared"
    for other in folder.parent.glob("*/prepared"):
        if not prepared.exists():
            shutil.copytree(other, prepared)  # used only where its key says that it fits
    sources = ",".join(f"{name}:1.0" for name in _SOURCES)
    command = [sys.executable, "-m", "pipeline.pretrain", f"corpora={corpora}", f"output={folder}"]
    command += [f"budget_minutes={minutes}", "~sources", f"+sources={{{sources}}}", *overrides]
    subprocess.run(command, check=True)


def reading_speed(folder: Path, text: str, kind: torch.dtype) -> float:
    """Words a second through the encoder alone, full rows of pieces, the median of several rounds."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = AutoModel.from_pretrained(folder, dtype=kind).eval()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    rows = torch.tensor(ids[: _ROWS * _WIDTH]).reshape(_ROWS, _WIDTH)
    words = len(text.split()) * rows.numel() / len(ids)
    seconds = []
    with torch.inference_mode():
        for _ in range(_ROUNDS):
            since = time.perf_counter()
            encoder(input_ids=rows)
            seconds.append(time.perf_counter() - since)
    return float(words / np.median(seconds))


def row(name: str, folder: Path, text: str) -> str:
    """A line of the table."""
    log = [json.loads(line) for line in (folder / "pretraining_log.jsonl").read_text("utf-8").splitlines()]
    last = [line for line in log if "evaluation" in line][-1]
    weights = sum(weight.numel() for weight in AutoModel.from_pretrained(folder).parameters())
    cells = [
        name,
        f"{weights / 1e6:.1f}",
        f"{(folder / 'model.safetensors').stat().st_size / 1e6:.1f}",
        f"{last['pieces']:,}",
        f"{last['evaluation']['all']:.3f}",
        f"{last['evaluation']['all, a word']:.3f}",
        *(f"{reading_speed(folder, text, kind):,.0f}" for kind in (torch.float32, torch.bfloat16)),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--only", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="SHAPE")
    given = parser.parse_args()
    dispatches = GOLD / "dispatches" / "test.jsonl"
    text = "\n".join(document.text for document in read_corpus(dispatches, {}))
    lines = [
        "| shape | million weights | MB in bf16 | pieces read | loss a piece | loss a word"
        " | words/s float32 | words/s bf16 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for number, (name, overrides) in enumerate(SHAPES.items()):
        if name not in given.only:
            continue
        folder = given.output / str(number)
        pretrain(given.corpora, given.minutes, folder, overrides)
        lines.append(row(name, folder, text))
        print(lines[-1], flush=True)
    (given.output / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
