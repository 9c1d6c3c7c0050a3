"""Train on GermEval 2014 and score its test sentences: ``python -m pipeline.germeval``.

The training file of the shared task is not used: what it calls development is learned from, all but every
tenth sentence, which says when to stop. The test file is read once, at the end. The figure is strict F1 of
the outer layer over the twelve labels, on the tokens of the corpus.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from annotations.document import Document, Mention, text_sha256
from annotations.formats.reading import write_whole
from annotations.schemes import LABELS
from eval.counts import Counts, merge, total
from eval.metrics.mentions import strict
from pipeline import versions
from pipeline.config import InputError, application, dump
from pipeline.corpora import Corpus
from pipeline.mixing import Beside, read_beside
from pipeline.settings import GermevalSettings

SCHEME = "germeval"
HELD_OUT = 10  # every tenth sentence


@dataclass(frozen=True, slots=True)
class Parts:
    """The sentences of GermEval by what they are for, and what is seen beside them."""

    train: tuple[Document, ...]
    stop: tuple[Document, ...]
    test: tuple[Document, ...]
    beside: tuple[Beside, ...]


def task(settings: GermevalSettings) -> int:
    """Train with every seed, score, and leave one folder."""
    parts = read_parts(settings)
    output = Path(settings.output)
    write_whole(output / "config.yaml", dump(settings).encode())
    beside = ", ".join(f"{b.name} × {b.share}" for b in parts.beside) or "nothing"
    print(f"{len(parts.train)} sentences to learn, {len(parts.stop)} to stop, {len(parts.test)} to test")
    print(f"seen beside them: {beside}", flush=True)
    tallies = [_score_seed(settings, parts, seed, output / f"seed-{seed}") for seed in settings.seeds]
    figures = [total(tally).f1 for tally in tallies]
    mean = statistics.mean(figures)
    record = {
        "metric": "strict F1, outer layer, twelve labels, GermEval 2014 test",
        "f1": mean,
        "deviation": statistics.stdev(figures) if len(figures) > 1 else None,
        "sentences": {"train": len(parts.train), "stop": len(parts.stop), "test": len(parts.test)},
        "beside": {b.name: {"documents": len(b.documents), "share": b.share} for b in parts.beside},
        "seeds": {str(seed): _as_record(tally) for seed, tally in zip(settings.seeds, tallies, strict=True)},
        "settings": asdict(settings),
        "versions": versions.installed(),
    }
    write_whole(output / "germeval.json", versions.to_json(record))
    print("\n".join(_lines(merge(tallies))))
    print(f"strict F1, outer: {100 * mean:.2f} (mean of {len(figures)} seed(s))")
    return 0


def read_parts(settings: GermevalSettings) -> Parts:
    """All corpora. Raises InputError, also where the encoder has already learned a test sentence."""
    main = [name for name, corpus in settings.corpora.items() if corpus.scheme == SCHEME]
    if len(main) != 1:
        raise InputError(f"corpora: expected one with the scheme {SCHEME}, found {len(main)}")
    corpus = settings.corpora[main[0]].read().without_leaks()
    others = {name: other for name, other in settings.corpora.items() if name != main[0]}
    train, stop = _halve(corpus)
    train = thinned(train, settings.share)
    if not (train and stop and corpus.test):
        raise InputError(f"corpora.{main[0]}: needs a test split, and {HELD_OUT} sentences in train")
    kept = {text_sha256(document.text) for document in (*stop, *corpus.test)}
    seen = kept & set(settings.encoder.trained_on())
    if seen:
        raise InputError(
            f"encoder.name={settings.encoder.name}: was trained on {len(seen)} held-out sentences"
        )
    beside = tuple(other.without(kept) for other in read_beside(others, settings.mix))
    return Parts(train, stop, corpus.test, beside)


def thinned(documents: Sequence[Document], share: float) -> tuple[Document, ...]:
    """So many of the documents, evenly taken: neighbours come from one article."""
    return tuple(documents[int(number / share)] for number in range(round(len(documents) * share)))


def _halve(corpus: Corpus) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    stop = corpus.train[::HELD_OUT]
    held = {text_sha256(document.text) for document in stop}
    return tuple(d for d in corpus.train if text_sha256(d.text) not in held), stop


def _score_seed(settings: GermevalSettings, parts: Parts, seed: int, folder: Path) -> dict[str, Counts]:
    """The counts of one seed, by label. A seed that is already there is not trained again."""
    from pipeline.training import forget

    done = folder / "counts.json"
    choices = (settings.encoder, settings.head, settings.optimization, settings.mix_weight)
    key = versions.fingerprint((choices, settings.encoder.weights(), seed, parts))
    if done.is_file():
        record = json.loads(done.read_text("utf-8"))
        if record["key"] == key:
            return {label: Counts(**counts) for label, counts in record["counts"].items()}
    predicted = _train_and_read(settings, parts, seed, folder)
    gold = [document.annotation.layers()[0] if document.annotation else () for document in parts.test]
    tally = merge(strict(g, p) for g, p in zip(gold, predicted, strict=True))
    tagged = [[tags(d, m) for d, m in zip(parts.test, side, strict=True)] for side in (gold, predicted)]
    confirm(total(tally), *tagged)
    for name, rows in zip(("gold", "predicted"), tagged, strict=True):
        write_whole(folder / f"{name}.tsv", _columns(parts.test, rows).encode())
    record = {"key": key, "counts": {label: asdict(counts) for label, counts in tally.items()}}
    write_whole(done, versions.to_json(record))
    forget(folder / "state")
    return tally


def _train_and_read(settings: GermevalSettings, parts: Parts, seed: int, folder: Path) -> list[list[Mention]]:
    """What a model with this seed finds in the test sentences."""
    import torch

    from pipeline import training
    from pipeline.examples import read_examples
    from pipeline.fitting import read_outer

    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(seed)
    reader, tokenizer, _ = settings.encoder.build(settings.head)
    reader.learn_schemes(dict.fromkeys([SCHEME, *(other.scheme for other in parts.beside)]))
    reach = settings.head.reach
    learn, stop, test = (
        read_examples(documents, tokenizer, reach, SCHEME)
        for documents in (parts.train, parts.stop, parts.test)
    )
    streams = [other.stream(tokenizer, reach, settings.mix_weight) for other in parts.beside]
    training.train(
        reader,
        learn,
        stop,
        settings.optimization,
        seed,
        folder / "state",
        streams=streams,
        report=lambda epoch: print(
            f"seed {seed} epoch {epoch.number:3d}  loss {epoch.losses['total']:.3f}  "
            f"held out {epoch.mentions:.3f}",
            flush=True,
        ),
    )
    reader.cpu()
    # A sentence without a piece has no example, and nothing is found in it.
    found = {document.id: mentions for document, mentions in read_outer(reader, test)}
    return [found.get(document.id, []) for document in parts.test]


def tags(document: Document, mentions: Iterable[Mention]) -> list[str]:
    """IOB2 tags of a document's tokens. Raises ValueError for a mention that cuts a token."""
    tokens = document.text.split(" ")
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    position = 0
    for number, token in enumerate(tokens):
        starts[position], ends[position + len(token)] = number, number + 1
        position += len(token) + 1
    found = ["O"] * len(tokens)
    for mention in mentions:
        if mention.start not in starts or mention.end not in ends:
            raise ValueError(f"{document.id}: {mention} cuts a token")
        first, last = starts[mention.start], ends[mention.end]
        found[first:last] = [f"B-{mention.label}", *[f"I-{mention.label}"] * (last - first - 1)]
    return found


def confirm(counted: Counts, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Another scorer must give the same figure. Raises RuntimeError."""
    from seqeval.metrics import f1_score
    from seqeval.scheme import IOB2

    other = f1_score(list(gold), list(predicted), mode="strict", scheme=IOB2, zero_division=0)
    if abs(other - counted.f1) > 1e-9:
        raise RuntimeError(f"seqeval says {other}, our counts say {counted.f1}")


def _columns(documents: Sequence[Document], rows: Sequence[Sequence[str]]) -> str:
    """Tokens with their tags, as ``python -m eval.sequences`` reads them."""
    return "".join(
        "".join(f"{token}\t{tag}\n" for token, tag in zip(document.text.split(" "), row, strict=True)) + "\n"
        for document, row in zip(documents, rows, strict=True)
    )


def _as_record(tally: dict[str, Counts]) -> dict[str, Any]:
    overall = total(tally)
    ratios = {"precision": overall.precision, "recall": overall.recall, "f1": overall.f1}
    return ratios | {"labels": {label: asdict(counts) for label, counts in tally.items()}}


def _lines(tally: dict[str, Counts]) -> Iterable[str]:
    yield f"{'label':<10} precision  recall      F1  gold"
    for label in (*LABELS[SCHEME], "all"):
        c = total(tally) if label == "all" else tally.get(label, Counts())
        yield f"{label:<10} {100 * c.precision:9.2f} {100 * c.recall:7.2f} {100 * c.f1:7.2f} {c.gold:5}"


def main() -> None:
    """The command line."""
    application("germeval", GermevalSettings, task)


if __name__ == "__main__":
    main()
