"""How fast are we, and how fast are others with the same encoder on the same texts? One JSON line at the end.

python -m scripts.bench_inference [--articles DIR] [--rounds 5] [--words 100000] [--peer-words 20000]

Contenders take turns, round by round; what is told is the median of the rounds. Ours read mentions and
relations with all that belongs to them; the others (scripts/bench_peers.py), where they are installed, read
mentions only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from annotations.corpus import read_corpus, read_texts
from annotations.document import Document
from pipeline import checkpoint
from pipeline.config import InputError
from pipeline.engines.batched import BatchedEngine
from pipeline.engines.settings import BatchedSettings, OpenVinoSettings
from pipeline.prediction import Predictor
from scripts.bench_peers import PEERS, Peer

GOLD = Path(__file__).resolve().parent.parent / "annotations" / "gold"
ENGINES = {
    "auto": BatchedSettings("cpu", "auto"),  # what engine=auto is without a GPU
    "float32": BatchedSettings("cpu", "float32"),
    "openvino, float32": OpenVinoSettings("cpu", "float32"),
    "openvino, bfloat16": OpenVinoSettings("cpu", "bfloat16"),
}
_NEWS = (5.6, 0.7)  # mean and spread of the logarithm of words in an article: median 270, a tail of thousands


def repeated(texts: Sequence[str], words: int) -> list[str]:
    """The texts, again and again, to so many words."""
    found: list[str] = []
    while sum(len(text.split()) for text in found) < words:
        found += texts
    return found


def shortened(texts: Sequence[str], words: int) -> list[str]:
    """The first texts, about so many words of them, and one at least."""
    few = list(texts)
    while len(few) > 1 and sum(len(text.split()) for text in few) > words:
        few = few[: len(few) * 9 // 10]
    return few


def newslike(texts: Sequence[str], documents: int) -> list[str]:
    """Documents of the lengths that news has, of shuffled paragraphs."""
    random = np.random.default_rng(1)
    paragraphs = [part for text in texts for part in text.split("\n") if part.strip()]
    found = []
    for words in random.lognormal(*_NEWS, size=documents):
        parts: list[str] = []
        while sum(len(part.split()) for part in parts) < words:
            parts.append(paragraphs[random.integers(len(paragraphs))])
        found.append("\n".join(parts))
    return found


class Ours:
    """Our predictor with one of its engines."""

    def __init__(self, settings: BatchedSettings) -> None:
        self.model = checkpoint.load(checkpoint.find("embedded"), bare=settings.bare())
        engine = settings.build(self.model.reader)
        assert isinstance(engine, BatchedEngine)
        self.engine = engine
        self.predictor = Predictor(self.model, self.engine)

    def read(self, texts: Sequence[str]) -> None:
        """Mentions, relations, modality, source, time and place of all texts."""
        self.predictor = Predictor(self.model, self.engine)
        for _ in self.predictor.read(Document(str(number), text) for number, text in enumerate(texts)):
            pass


def contenders() -> Iterator[tuple[str, Callable[[], Peer]]]:
    """Names, and what builds each."""
    for name, settings in ENGINES.items():
        yield f"ours, {name}", partial(Ours, settings)
    yield from PEERS.items()


def ceiling(config: Any, dtype: torch.dtype, pieces: int, device: str = "cpu") -> float:
    """GFLOP/s of bare matrix products of an encoder's own shapes."""
    width, inner = config.hidden_size, config.intermediate_size
    work = seconds = 0.0
    for rows, columns in ((width, 3 * width), (width, width), (width, 2 * inner), (inner, width)):
        left, right = (torch.randn(n, rows).to(device, dtype) for n in (pieces, columns))
        times, together = [], 1 if device == "cpu" else 20  # to start one and wait for it would take as long
        for _ in range(30):
            since = time.perf_counter()
            for _ in range(together):
                torch.nn.functional.linear(left, right)
            if device != "cpu":
                torch.cuda.synchronize(device)
            times.append((time.perf_counter() - since) / together)
        work += 2 * pieces * rows * columns
        seconds += median(times)
    return work / seconds / 1e9


def flops(config: Any, pieces: int, windows: int) -> float:
    """Of an encoder, products and attention, for so many pieces in so many windows."""
    width, inner = config.hidden_size, config.intermediate_size
    window = pieces / max(windows, 1)
    a_piece = 2 * width * (4 * width) + 2 * width * (2 * inner) + 2 * inner * width + 4 * window * width
    return float(config.num_hidden_layers * a_piece * pieces)


def details(ours: Ours, words: int, texts: Sequence[str]) -> dict[str, object]:
    """Where our time goes, and how near the encoder is to the ceiling."""
    before, since = ours.engine.spent, time.perf_counter()
    ours.read(texts)
    spent, wall = ours.engine.spent - before, time.perf_counter() - since
    ledger, described = ours.predictor.ledger, ours.engine.describe()
    seconds = {stage: round(value, 3) for stage, value in ledger.seconds.items()}
    dtype = torch.bfloat16 if described["dtype"] == "bfloat16" else torch.float32
    # Seconds are of work: workers encode at the same time.
    encoding = ledger.seconds["encode"] / ours.engine.workers
    config = ours.model.reader.encoder.config
    achieved = flops(config, ledger.pieces_encoded, ledger.windows) / encoding / 1e9
    bare = ceiling(config, dtype, 4096)
    return {
        "engine": described,
        "documents": ledger.documents,
        "words": words,
        "words_per_second": round(words / wall),
        "pieces_per_second_of_the_encoder": round(ledger.pieces / encoding),
        "seconds": round(wall, 3),
        "seconds_of_all_workers": seconds,
        "relate_to_encode": round(ledger.seconds["relate"] / ledger.seconds["encode"], 3),
        "pairs": ledger.pairs_asked,
        "padding": round(1 - ledger.pieces_encoded / max(spent, 1), 4),
        "gflops": round(achieved),
        "gflops_of_bare_products": round(bare),
        "share_of_ceiling": round(achieved / bare, 3),
    }


def race(texts: Sequence[str], peer_texts: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Words a second of all contenders, who take turns."""
    ready: dict[str, Peer] = {}
    for name, build in contenders():
        try:
            ready[name] = build()
        except (ImportError, InputError) as error:
            print(f"{name}: not here ({str(error).splitlines()[0]})", flush=True)
            continue
        ready[name].read(peer_texts[:8])  # warm
    speeds: dict[str, list[float]] = {name: [] for name in ready}
    for _ in range(rounds):
        for name, contender in ready.items():
            some = texts if isinstance(contender, Ours) else peer_texts
            words = sum(len(text.split()) for text in some)
            since = time.perf_counter()
            contender.read(some)
            speeds[name].append(words / (time.perf_counter() - since))
        print({name: round(values[-1]) for name, values in speeds.items()}, flush=True)
    best = median(speeds["ours, auto"])
    return {
        name: {
            "words_per_second": round(median(values)),
            "lowest": round(min(values)),
            "highest": round(max(values)),
            "ours_auto_is_times": round(best / median(values), 2),
        }
        for name, values in speeds.items()
    }


def processes(texts: Sequence[str], rounds: int) -> dict[str, float]:
    """Seconds of whole processes: the help, and one article read from start to end."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one.txt").write_text(texts[0], encoding="utf-8")
        commands = {
            "help": ["--help"],
            "one article, all of it": [f"input={folder}/one.txt", f"output={folder}/out", "progress=false"],
        }
        found = {}
        for name, arguments in commands.items():
            seconds = []
            for _ in range(rounds):
                since = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "pipeline.run", *arguments], check=True, stdout=subprocess.DEVNULL
                )
                seconds.append(time.perf_counter() - since)
            found[name] = round(median(seconds), 2)
    return found


def short_documents(texts: Sequence[str], count: int) -> dict[str, float]:
    """A whole process over so many documents of a sentence or two: its peak of memory, and its time."""
    sentences = [part for text in texts for part in text.replace("\n", " ").split(". ") if len(part) > 40]
    random = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        with (Path(folder) / "many.jsonl").open("w", encoding="utf-8") as file:
            for number in range(count):
                chosen = random.choice(sentences, int(random.integers(1, 3)))
                file.write(json.dumps({"id": str(number), "text": ". ".join(chosen) + "."}) + "\n")
        arguments = [f"input={folder}/many.jsonl", f"output={folder}/out", "progress=false"]
        command = [sys.executable, "-m", "pipeline.run", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"the run over {count} documents failed")
        manifest = json.loads((Path(folder) / "out" / "manifest.json").read_text("utf-8"))
    seconds = manifest["seconds"]
    working = seconds["all"] - seconds["load"]
    return {
        "documents": count,
        "peak_mb": round(usage.ru_maxrss / 1024),
        "seconds": round(seconds["all"], 1),
        "ms_a_document_after_loading": round(1000 * working / count, 3),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=Path, help="folder with the texts of the five articles")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--peer-words", type=int, default=20_000)
    parser.add_argument(
        "--short", type=int, default=100_000, help="short documents, against a thousand; or 0"
    )
    parser.add_argument("--documents", type=int, default=2_000, help="of the corpus with lengths as in news")
    given = parser.parse_args()
    texts = [document.text for document in read_corpus(GOLD / "dispatches" / "test.jsonl", {})]
    texts += [document.text for document in read_corpus(GOLD / "dispatches" / "train.jsonl", {})]
    if given.articles:
        texts = [*read_texts(given.articles).values(), *texts]
    many, few = repeated(texts, given.words), shortened(texts, given.peer_words)
    result: dict[str, object] = {
        "machine": torch.cpu.get_capabilities().get("cpu_name"),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "processes": processes(texts, given.rounds),
    }
    if given.short:
        # First: the peak of a process that is started counts what its parent held.
        result["short"] = [short_documents(texts, count) for count in (1_000, given.short)]
    result["race"] = race(many, few, given.rounds)
    ours = Ours(ENGINES["auto"])
    for name, corpus in (("dispatches", many), ("as in news", newslike(texts, given.documents))):
        result[name] = details(ours, sum(len(text.split()) for text in corpus), corpus)
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
