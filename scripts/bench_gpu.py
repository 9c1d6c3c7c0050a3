"""How near the packed pass is to a GPU's limit, and how it compares with the library's pipeline there.

python -m scripts.bench_gpu [--device cuda] [--rounds 5] [--words 1000000]

Three questions, one JSON line at the end. A base-size encoder of random weights over full windows of 512
pieces: which share of the rate of bare products does it reach, as it comes and compiled? The embedded model:
how many words a second beside the pipeline at its best batch size and precision, on the same texts by turns?
And what takes its time: seconds by stage, of all workers?
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from transformers import ModernBertConfig, ModernBertModel

from annotations.corpus import read_corpus
from pipeline.engines.packed import PackedForward
from pipeline.engines.settings import BatchedSettings
from pipeline.model import Specials
from scripts.bench_inference import Ours, ceiling, flops, repeated, shortened
from scripts.bench_peers import best_pipeline

GOLD = Path(__file__).resolve().parent.parent / "annotations" / "gold"
_WINDOW = 512
_BATCHES = (4096, 16384, 65536, 131072)  # pieces
_SIZES = (8, 32, 64, 128, 256)  # rows in a batch of the pipeline


def base_config() -> Any:
    """An encoder of the usual size, every layer looking at everything."""
    layers = 12
    return ModernBertConfig(
        vocab_size=32000,
        hidden_size=768,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=1152,
        layer_types=["full_attention"] * layers,
        pad_token_id=0,
    )


def base_size(device: str, rounds: int, pieces: Sequence[int], *, compiled: bool) -> list[dict[str, Any]]:
    """Pieces a second and the share of bare products, for each size of a batch."""
    config = base_config()
    encoder = ModernBertModel(config)
    forward = PackedForward(encoder, Specials(0, None, None), device, torch.bfloat16, compiled=compiled)
    random = np.random.default_rng(1)
    found = []
    for size in pieces:
        batch = [random.integers(5, 32000, size=_WINDOW) for _ in range(size // _WINDOW)]
        seconds = []
        for _ in range(rounds + 2):
            since = time.perf_counter()
            forward(batch).sum().item()  # waits
            seconds.append(time.perf_counter() - since)
        took = median(seconds[2:])  # the first are for compiling and for memory
        achieved = flops(config, size, len(batch)) / took / 1e9
        bare = ceiling(config, torch.bfloat16, size, device)
        found.append(
            {
                "pieces": size,
                "compiled": compiled,
                "pieces_per_second": round(size / took),
                "gflops": round(achieved),
                "gflops_of_bare_products": round(bare),
                "share_of_ceiling": round(achieved / bare, 3),
            }
        )
        print(found[-1], flush=True)
    return found


def embedded(device: str, rounds: int, texts: Sequence[str], peer_texts: Sequence[str]) -> dict[str, Any]:
    """The embedded model against the pipeline, by turns; medians, and where our seconds go."""
    words, peer_words = (sum(len(text.split()) for text in some) for some in (texts, peer_texts))
    ours = Ours(BatchedSettings(device, "bfloat16"))
    peer = best_pipeline(device, _SIZES)
    ours.read(texts)
    speeds: dict[str, list[float]] = {"ours": [], "pipeline": []}
    for _ in range(rounds):
        for name, contender, some, count in (
            ("ours", ours, texts, words),
            ("pipeline", peer, peer_texts, peer_words),
        ):
            since = time.perf_counter()
            contender.read(some)
            speeds[name].append(count / (time.perf_counter() - since))
        print({name: round(values[-1]) for name, values in speeds.items()}, flush=True)
    own, other = (median(speeds[name]) for name in ("ours", "pipeline"))
    seconds = {stage: round(value, 3) for stage, value in ours.predictor.ledger.seconds.items()}
    return {
        "engine": ours.engine.describe(),
        "words_per_second": round(own),
        "pipeline_words_per_second": round(other),
        "times_the_pipeline": round(own / other, 2),
        "pipeline_at_its_best": {"dtype": str(peer.pipe.model.dtype), **peer.options},
        "seconds_of_all_workers": seconds,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="or cpu, to try the script itself")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--peer-words", type=int, default=100_000)
    parser.add_argument(
        "--pieces", type=int, nargs="+", default=_BATCHES, help="in a batch of the first question"
    )
    given = parser.parse_args()
    texts = [document.text for document in read_corpus(GOLD / "dispatches" / "train.jsonl", {})]
    result: dict[str, Any] = {
        "device": given.device if given.device == "cpu" else torch.cuda.get_device_name(given.device),
        "torch": torch.__version__,
        "base": base_size(given.device, given.rounds, given.pieces, compiled=False),
    }
    if given.device != "cpu":
        result["base"] += base_size(given.device, given.rounds, given.pieces, compiled=True)
    many, few = repeated(texts, given.words), shortened(texts, given.peer_words)
    result["embedded"] = embedded(given.device, given.rounds, many, few)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
