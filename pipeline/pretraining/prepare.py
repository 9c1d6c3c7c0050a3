"""What training starts from, made once and kept: tokenizer, pieces of every source, vectors of pieces."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from pipeline.pretraining import packing, text, tokenizer, vectors
from pipeline.pretraining.packing import Pieces
from pipeline.pretraining.settings import Pretrain
from pipeline.pretraining.vectors import Table

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Text as pieces, by source, and what the embeddings start from."""

    tokenizer: Tokenizer
    train: dict[str, Pieces]  # uint16 [pieces]
    held_out: dict[str, Pieces]
    vectors: Table | None  # float32 [vocabulary, width], rows of length 1; None: start at random
    digests: dict[str, str]  # SHA-256 of each source's file


@dataclass(frozen=True, slots=True)
class _Sample:
    """About what one round reads: a source that is read in part is learned from in part."""

    settings: Pretrain
    paths: dict[str, Path]

    def __iter__(self) -> Iterator[str]:
        for name, path in self.paths.items():
            share = self.settings.sources[name]
            for document in text.documents(path):
                if text.is_sampled(document, share) and not text.is_held_out(
                    document, self.settings.held_out
                ):
                    yield document


def prepare(settings: Pretrain, say: Say) -> Prepared:
    """Read what ``output/prepared`` keeps from an earlier call with the same settings, or make it."""
    paths = {name: text.source_path(settings.corpora, name) for name in settings.sources}
    digests = {name: text.digest(path) for name, path in paths.items()}
    folder = Path(settings.output) / "prepared"
    key = _key(settings, digests)
    if not _is(folder, key):
        partial = folder.with_name("prepared.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _make(settings, paths, partial, say)
        (partial / "key.json").write_text(key, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    found = folder / "vectors.npy"
    return Prepared(
        Tokenizer.from_file(str(folder / "tokenizer.json")),
        {name: np.load(folder / f"{name}.train.npy") for name in paths},
        {name: np.load(folder / f"{name}.held_out.npy") for name in paths},
        np.load(found) if found.is_file() else None,
        digests,
    )


def _make(settings: Pretrain, paths: dict[str, Path], folder: Path, say: Say) -> None:
    learned = _tokenizer(settings, paths, folder, say)
    train: list[Pieces] = []
    for name, path in paths.items():
        kept: list[str] = []
        stream = _without(text.documents(path), settings.held_out, kept)
        train.append(packing.encode(learned, stream))
        held = packing.encode(learned, kept)
        np.save(folder / f"{name}.train.npy", train[-1])
        np.save(folder / f"{name}.held_out.npy", held)
        say(f"{name}: {len(train[-1]):,} pieces, and {len(held):,} held out")
    if settings.vectors.contexts and settings.start is None:
        say("counting neighbours")
        shape = (learned.get_vocab_size(), settings.encoder.width)
        table = vectors.static_vectors(
            train, shape, settings.vectors.contexts, settings.vectors.reach, settings.seed
        )
        np.save(folder / "vectors.npy", table)
        say("vectors of pieces are made")


def _tokenizer(settings: Pretrain, paths: dict[str, Path], folder: Path, say: Say) -> Tokenizer:
    """The tokenizer of the encoder that is trained further, or a new one; left in the folder."""
    if settings.start is not None:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(Path(settings.start) / name, folder / name)
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    say("learning the tokenizer")
    learned = tokenizer.learn(_Sample(settings, paths), settings.vocabulary)
    tokenizer.save(learned, folder, settings.encoder.length)
    return learned


def _without(documents: Iterator[str], share: float, kept: list[str]) -> Iterator[str]:
    for document in documents:
        if text.is_held_out(document, share):
            kept.append(document)
        else:
            yield document


def _key(settings: Pretrain, digests: dict[str, str]) -> str:
    parts = {
        "sources": dict(settings.sources),
        "digests": digests,
        "held_out": settings.held_out,
        "start": text.digest(Path(settings.start) / "tokenizer.json") if settings.start else None,
        "vocabulary": settings.vocabulary,
        "width": settings.encoder.width,
        "contexts": settings.vectors.contexts,
        "reach": settings.vectors.reach,
        "seed": settings.seed,
    }
    return json.dumps(parts, indent=2, sort_keys=True) + "\n"


def _is(folder: Path, key: str) -> bool:
    kept = folder / "key.json"
    return kept.is_file() and kept.read_text(encoding="utf-8") == key
