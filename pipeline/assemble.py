"""Several documents as one table: the tensors that the heads read, built from offsets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.heads import PairInputs
from pipeline.pairs import MentionTable, Pairs, flat_ranges
from pipeline.pieces import PieceTable

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges of rows in the form that heads.mean_of_ranges reads."""

    flat: Tensor  # int64, the rows of all ranges one after the other
    offsets: Tensor  # int64 [ranges]


def ranges(first: Integers, last: Integers) -> Ranges:
    """Half-open ranges as tensors."""
    lengths = last - first
    offsets = np.cumsum(lengths) - lengths
    return Ranges(torch.from_numpy(flat_ranges(first, last)), torch.from_numpy(offsets))


def shifts(lengths: Sequence[int]) -> Integers:
    """Where each part starts when they stand one after the other, int64 [parts]."""
    ends = np.cumsum(np.array(lengths, dtype=np.int64))
    return ends - np.array(lengths, dtype=np.int64)


def word_ranges(tables: Sequence[PieceTable]) -> Ranges:
    """The pieces of the words of all documents; documents without pieces have no words here."""
    starts = shifts([len(table) for table in tables])
    with_pieces = [(t, s) for t, s in zip(tables, starts, strict=True) if len(t)]
    first = _joined([table.first_piece + start for table, start in with_pieces])
    last = _joined([table.last_piece + start for table, start in with_pieces])
    return ranges(first, last)


def _joined(parts: Sequence[NDArray[np.int64]]) -> Integers:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Asked:
    """The mentions and pairs of several documents, numbered through."""

    mentions: tuple[MentionTable, ...]
    pairs: tuple[Pairs, ...]
    mention_shift: Integers  # [documents]
    pair_shift: Integers  # [documents]
    piece_shift: Integers  # [documents]

    def __len__(self) -> int:
        return sum(len(pairs) for pairs in self.pairs)


def asked(mentions: Sequence[MentionTable], pairs: Sequence[Pairs], piece_lengths: Sequence[int]) -> Asked:
    """Number mentions, pairs and pieces through all documents."""
    return Asked(
        tuple(mentions),
        tuple(pairs),
        shifts([len(table) for table in mentions]),
        shifts([len(found) for found in pairs]),
        shifts(piece_lengths),
    )


def pair_inputs(asked: Asked, device: torch.device | str = "cpu") -> PairInputs:
    """The tensors of all pairs; rows in order of document and head."""
    documents = list(zip(asked.mentions, asked.pairs, asked.mention_shift, asked.piece_shift, strict=True))
    mention_ranges = ranges(
        _joined([table.first + piece for table, _, _, piece in documents]),
        _joined([table.last + piece for table, _, _, piece in documents]),
    )

    def column(parts: Sequence[NDArray[np.int64]]) -> Tensor:
        return torch.from_numpy(_joined(parts)).to(device)

    contexts = [pairs.context + piece for _, pairs, _, piece in documents]
    allowed = [pairs.allowed for pairs in asked.pairs]
    return PairInputs(
        mention_ranges.flat.to(device),
        mention_ranges.offsets.to(device),
        column([table.label for table in asked.mentions]),
        column([pairs.head + shift for _, pairs, shift, _ in documents]),
        column([pairs.tail + shift for _, pairs, shift, _ in documents]),
        torch.from_numpy(np.concatenate(allowed)).to(device),
        column([pairs.gap for pairs in asked.pairs]),
        column([pairs.nesting for pairs in asked.pairs]),
        column([pairs.crowd for pairs in asked.pairs]),
        torch.from_numpy(np.concatenate(contexts)).to(device),
    )


def blocks(inputs: PairInputs, size: int) -> list[tuple[slice, int, int]]:
    """Pairs in blocks of at most ``size``, each with the range of pieces that its contexts need.

    Pairs stand in order of the text, so that a block reads a stretch of it: what a block costs does not
    grow with the length of the document.
    """
    found = []
    for start in range(0, len(inputs), size):
        rows = slice(start, min(start + size, len(inputs)))
        found.append((rows, int(inputs.context[rows].min()), int(inputs.context[rows].max())))
    return found


def block_of(inputs: PairInputs, rows: slice, low: int) -> PairInputs:
    """The inputs of some pairs, over a table of pieces that starts at ``low``; mentions stay whole."""
    return PairInputs(
        inputs.mention_flat,
        inputs.mention_offsets,
        inputs.mention_label,
        inputs.head[rows],
        inputs.tail[rows],
        inputs.allowed[rows],
        inputs.gap[rows],
        inputs.nesting[rows],
        inputs.crowd[rows],
        inputs.context[rows] - low,
    )
