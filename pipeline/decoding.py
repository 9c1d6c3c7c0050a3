"""Vectors of pieces to mentions: tag scores of words, and of the pieces inside what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from annotations import scheme
from annotations.document import Document, Mention
from pipeline import assemble, pairs, tags
from pipeline.heads import TagHead, mean_of_ranges
from pipeline.model import Reader
from pipeline.pieces import PieceTable

Floats = NDArray[np.float32]


class NotFiniteError(ArithmeticError):
    """Scores that are not numbers: the document that they belong to is set aside."""


@dataclass
class Thresholds:
    """What turns scores into decisions; fitted on development data, kept with the model."""

    static: float = 0.5  # a relation of the six is predicted from this probability on
    actors: float = 0.5  # likewise one of the ten
    temperature: float = 1.0  # tag scores are divided by it


def log_probabilities(scores: Tensor, temperature: float) -> Floats:
    """Log-softmax over the tags, float32. Raises NotFiniteError."""
    if not bool(torch.isfinite(scores).all()):
        raise NotFiniteError("tag scores are not finite")
    table: Floats = torch.log_softmax(scores.float() / temperature, dim=-1).cpu().numpy()
    return table


def word_scores(head: TagHead, vectors: Tensor, tables: Sequence[PieceTable]) -> Tensor:
    """Outer tag scores of all words of all documents, float [words, tags]."""
    ranges = assemble.word_ranges(tables)
    if not len(ranges):
        return vectors.new_zeros(0, head.score.out_features)
    scores: Tensor = head(mean_of_ranges(vectors, ranges.to(vectors.device)))
    return scores


def decode_mentions(
    reader: Reader,
    vectors: Tensor,
    documents: Sequence[Document],
    tables: Sequence[PieceTable],
    thresholds: Thresholds,
) -> list[list[Mention]]:
    """Outer and inner mentions of each document. ``vectors``: float [pieces of all documents, width]."""
    scores = log_probabilities(word_scores(reader.outer, vectors, tables), thresholds.temperature)
    outer = outer_mentions(scores, tables)
    inner = _inner(reader, vectors, documents, tables, outer, thresholds.temperature)
    return [[*out, *inn] for out, inn in zip(outer, inner, strict=True)]


def outer_mentions(
    scores: Floats, tables: Sequence[PieceTable], labels: Sequence[str] = scheme.ENTITY_LABELS
) -> list[list[Mention]]:
    """Outer mentions of each document from the log-probabilities of all words, float32 [words, tags]."""
    rows: list[Floats] = []
    owners: list[tuple[int, int]] = []  # document, its word that the row starts with
    position = 0
    for number, table in enumerate(tables):
        if not len(table):
            continue
        borders = np.unique(np.searchsorted(table.word_starts, table.paragraph_borders))
        for first, last in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
            rows.append(scores[position + first : position + last])
            owners.append((number, first))
        position += len(table.word_starts)
    found: list[list[Mention]] = [[] for _ in tables]
    for (number, shift), spans in zip(owners, tags.decode(rows), strict=True):
        table = tables[number]
        for first, last, label, score in spans:
            start = int(table.word_starts[shift + first])
            end = int(table.word_ends[shift + last - 1])
            found[number].append(Mention(start, end, labels[label], score))
    return found


def _inner(
    reader: Reader,
    vectors: Tensor,
    documents: Sequence[Document],
    tables: Sequence[PieceTable],
    outer: Sequence[Sequence[Mention]],
    temperature: float,
) -> list[list[Mention]]:
    starts = assemble.shifts([len(table) for table in tables])
    owners: list[tuple[int, Mention, int, int]] = []
    for number, mentions in enumerate(outer):
        starts_of = np.array([mention.start for mention in mentions], dtype=np.int64)
        ends_of = np.array([mention.end for mention in mentions], dtype=np.int64)
        pieces = zip(
            *(part.tolist() for part in tables[number].pieces_of_all(starts_of, ends_of)), strict=True
        )
        for mention, (first, last) in zip(mentions, pieces, strict=True):
            if last - first > 1:
                owners.append((number, mention, first, last))
    found: list[list[Mention]] = [[] for _ in tables]
    if not owners:
        return found
    begins = np.array([starts[number] + first for number, _, first, _ in owners])
    ends = np.array([starts[number] + last for number, _, _, last in owners])
    flat = torch.from_numpy(pairs.flat_ranges(begins, ends)).to(vectors.device)
    scores = log_probabilities(reader.inner(vectors[flat]), temperature)
    rows = np.split(scores, np.cumsum(ends - begins)[:-1])
    for (number, mention, shift, _), spans in zip(owners, tags.decode(rows), strict=True):
        table, text = tables[number], documents[number].text
        free = mention.start
        for begin, end, label, score in spans:
            # Pieces of bytes share a character: what one inner mention holds is not free for the next.
            start = max(int(table.starts[shift + begin]), free)
            stop = min(int(table.ends[shift + end - 1]), mention.end)
            trimmed = _trim(text, start, stop) if start < stop else None
            # An inner mention lies strictly inside its outer one: as long as that, it is no mention.
            if trimmed and trimmed != (mention.start, mention.end):
                found[number].append(Mention(*trimmed, scheme.ENTITY_LABELS[label], score))
                free = trimmed[1]
    return found


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    surface = text[start:end]
    lead = len(surface) - len(surface.lstrip())
    trail = len(surface) - len(surface.rstrip())
    return (start + lead, end - trail) if lead + trail < len(surface) else None
