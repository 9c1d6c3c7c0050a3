"""What is fitted on development data: when to stop, from which probability on, at which temperature."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor

from annotations import scheme
from annotations.document import Document, Mention
from annotations.schemes import LABELS, OWN
from eval.counts import Counts
from pipeline import decoding, pairs, relating
from pipeline.decoding import Thresholds
from pipeline.encoding import document_vectors
from pipeline.examples import Example, relation_targets
from pipeline.losses import joined
from pipeline.model import Reader

DOCUMENTS_AT_ONCE = 16
_STEPS = np.arange(0.05, 0.96, 0.01)


@dataclass(frozen=True, slots=True)
class Asked:
    """Scores of everything that was asked on development data."""

    tags: Tensor  # float [words, tags]
    tag_targets: Tensor  # int64 [words]
    chances: NDArray[np.float32]  # [allowed cells], probabilities of relations
    targets: NDArray[np.bool_]  # [allowed cells]
    actors: NDArray[np.bool_]  # [allowed cells], whether the label is one of the ten
    unasked: tuple[int, int]  # gold relations out of reach: of the six, of the ten
    mentions: Counts  # both layers, strict


@torch.no_grad()
def development_score(reader: Reader, examples: Sequence[Example]) -> tuple[float, float]:
    """Strict F1 of mentions, and F1 of relations on gold mentions at the best threshold; 0, 0 if empty.

    Of another scheme: strict F1 of outer mentions, and 0.
    """
    if not examples:
        return 0.0, 0.0
    mentions = Counts()
    if examples[0].scheme != OWN:
        for document, found in read_outer(reader, examples):
            gold = document.annotation.layers()[0] if document.annotation else ()
            mentions = mentions + _counts(set(gold), set(found))
        return mentions.f1, 0.0
    asked = ask(reader, examples)
    return asked.mentions.f1, max(_figures(asked.chances, asked.targets, sum(asked.unasked)).values())


@torch.no_grad()
def read_outer(reader: Reader, examples: Sequence[Example]) -> Iterator[tuple[Document, list[Mention]]]:
    """What the heads of another scheme find in documents of it: outer mentions."""
    for batch, vectors in _vectors(reader, examples):
        name, tables = batch[0].scheme, [example.table for example in batch]
        scores = decoding.word_scores(reader.scheme_heads(name).outer, vectors, tables)
        found = decoding.outer_mentions(decoding.log_probabilities(scores, 1.0), tables, LABELS[name])
        yield from zip((example.document for example in batch), found, strict=True)


def fit(reader: Reader, examples: Sequence[Example]) -> Thresholds:
    """Thresholds for the six and for the ten, and the temperature of the tags."""
    if not examples:
        return Thresholds()
    asked = ask(reader, examples)
    six, ten = ~asked.actors, asked.actors
    return Thresholds(
        best(asked.chances[six], asked.targets[six], asked.unasked[0]),
        lowest_good(asked.chances[ten], asked.targets[ten], asked.unasked[1]),
        _temperature(asked.tags, asked.tag_targets),
    )


@torch.no_grad()
def ask(reader: Reader, examples: Sequence[Example]) -> Asked:
    """Run the reader over development data and keep every score."""
    tags: list[Tensor] = []
    chances: list[NDArray[np.float32]] = []
    targets: list[NDArray[np.bool_]] = []
    actors: list[NDArray[np.bool_]] = []
    mentions = Counts()
    for batch, vectors in _vectors(reader, examples):
        mentions = mentions + _mention_counts(reader, batch, vectors)
        tags.append(decoding.word_scores(reader.outer, vectors, [example.table for example in batch]).cpu())
        table, found = joined(batch)
        if not len(found):
            continue
        ids = relating.piece_ids([example.table for example in batch])
        _, _, scores = relating.score_pairs(reader, vectors, ids, table, found)
        allowed = found.allowed
        chances.append(torch.sigmoid(scores).cpu().numpy()[allowed])
        gold = np.concatenate([relation_targets(example) for example in batch])
        targets.append(gold[allowed] > 0)
        actors.append(np.broadcast_to(pairs.BETWEEN_ACTORS, allowed.shape)[allowed])
    empty: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
    return Asked(
        torch.cat(tags),
        torch.from_numpy(np.concatenate([example.outer for example in examples])),
        np.concatenate([empty.astype(np.float32), *chances]),
        np.concatenate([empty, *targets]),
        np.concatenate([empty, *actors]),
        _unasked(examples),
        mentions,
    )


def _unasked(examples: Sequence[Example]) -> tuple[int, int]:
    ten = total = 0
    for example in examples:
        relations = example.document.annotation.relations if example.document.annotation else ()
        labels = [relation.label for relation in relations]
        asked = int(pairs.BETWEEN_ACTORS[example.gold.label].sum())
        ten += sum(label in scheme.ACTOR_RELATIONS for label in labels) - asked
        total += example.unasked
    return total - ten, ten


def best(chances: NDArray[np.float32], targets: NDArray[np.bool_], missing: int) -> float:
    """The threshold with the best F1. ``missing`` gold relations were never asked about."""
    figures = _figures(chances, targets, missing)
    return max(figures, key=lambda threshold: figures[threshold]) if max(figures.values()) else 0.5


def lowest_good(chances: NDArray[np.float32], targets: NDArray[np.bool_], missing: int) -> float:
    """The lowest threshold whose F1 is within a standard error of the best one.

    Of thresholds that so little gold cannot tell apart, the lowest: what actors of conflicts that training
    never named do gets lower scores than in development data, which is about known ones. The error is that
    of a share among as many as there are gold relations; ``missing`` of them were never asked about.
    """
    figures = _figures(chances, targets, missing)
    most = max(figures.values())
    error = math.sqrt(most * (1 - most) / max(int(targets.sum()) + missing, 1))
    good = [threshold for threshold, figure in figures.items() if figure >= most - error]
    return min(good) if most else 0.5


def _figures(chances: NDArray[np.float32], targets: NDArray[np.bool_], missing: int) -> dict[float, float]:
    """F1 by threshold."""
    figures = {}
    for threshold in _STEPS.tolist():
        chosen = chances >= threshold
        hits = int((chosen & targets).sum())
        counts = Counts(hits, int(chosen.sum()) - hits, int(targets.sum()) - hits + missing)
        figures[round(threshold, 2)] = counts.f1
    return figures


def _temperature(scores: Tensor, targets: Tensor) -> float:
    """The temperature under which the tags are likeliest: fitted in its logarithm, 1/8 to 8."""

    def loss(log_temperature: float) -> float:
        scaled = scores / float(np.exp(log_temperature))
        return float(torch.nn.functional.cross_entropy(scaled, targets))

    bounds = (-np.log(8.0), np.log(8.0))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def _vectors(reader: Reader, examples: Sequence[Example]) -> Iterator[tuple[list[Example], Tensor]]:
    training = reader.training
    reader.eval()
    for start in range(0, len(examples), DOCUMENTS_AT_ONCE):
        batch = list(examples[start : start + DOCUMENTS_AT_ONCE])
        yield batch, document_vectors(reader, [example.table for example in batch])
    reader.train(training)


def _mention_counts(reader: Reader, batch: Sequence[Example], vectors: Tensor) -> Counts:
    documents = [example.document for example in batch]
    tables = [example.table for example in batch]
    found = decoding.decode_mentions(reader, vectors, documents, tables, Thresholds())
    counts = Counts()
    for document, mentions in zip(documents, found, strict=True):
        gold: set[Mention] = set(document.annotation.mentions) if document.annotation else set()
        counts = counts + _counts(gold, set(mentions))
    return counts


def _counts(gold: set[Mention], found: set[Mention]) -> Counts:
    return Counts(len(gold & found), len(found - gold), len(gold - found))
