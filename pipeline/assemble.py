"""Several documents as one table: the tensors that the heads read, built from offsets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.heads import MentionInputs, PairInputs, Ranges
from pipeline.pairs import MentionTable, Pairs, flat_ranges
from pipeline.pieces import PieceTable

Integers = NDArray[np.int64]
_SENTENCES = 2**32  # more than a document has: no reach joins two documents


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


def join_mentions(tables: Sequence[MentionTable], piece_lengths: Sequence[int]) -> MentionTable:
    """The mentions of all documents in one table, over the pieces of all documents in one table."""
    piece = np.repeat(shifts(piece_lengths), [len(table) for table in tables])
    document = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    return MentionTable(
        tuple(mention for table in tables for mention in table.mentions),
        _joined([table.first for table in tables]) + piece,
        _joined([table.last for table in tables]) + piece,
        _joined([table.label for table in tables]),
        _joined([table.sentence for table in tables]) + document * _SENTENCES,
        _joined([table.opening for table in tables]) + piece,
        _joined([table.closing for table in tables]) + piece,
    )


def document_of(table: MentionTable, mention: Integers) -> Integers:
    """The numbers of the documents that mentions of a joined table stand in."""
    return table.sentence[mention] // _SENTENCES


def join_pairs(found: Sequence[Pairs], mentions: Sequence[int], piece_lengths: Sequence[int]) -> Pairs:
    """The pairs of all documents, numbered like the mentions of ``join_mentions``."""
    mention = np.repeat(shifts(mentions), [len(pairs) for pairs in found])
    piece = np.repeat(shifts(piece_lengths), [len(pairs) for pairs in found])
    return Pairs(
        _joined([pairs.head for pairs in found]) + mention,
        _joined([pairs.tail for pairs in found]) + mention,
        np.concatenate([pairs.allowed for pairs in found]),
        _joined([pairs.place for pairs in found]),
        _joined([pairs.later for pairs in found]) + mention,
        np.concatenate([pairs.between for pairs in found]) + piece[:, None],
    )


def mention_inputs(table: MentionTable) -> MentionInputs:
    """The tensors of the mentions of a joined table."""
    return MentionInputs(
        torch.from_numpy(table.label),
        ranges(table.first, table.last),
        ranges(table.opening, np.maximum(table.first, table.opening)),
        ranges(table.last, np.maximum(table.closing, table.last)),
    )


def pair_inputs(pairs: Pairs) -> PairInputs:
    """The tensors of pairs."""
    columns = (pairs.head, pairs.tail, pairs.allowed, pairs.place, pairs.later, pairs.between)
    return PairInputs(*(torch.from_numpy(column) for column in columns))


@dataclass(frozen=True, slots=True)
class Stretch:
    """The stretch of mentions and the stretch of pieces that some pairs need."""

    mentions: slice
    pieces: slice


def stretch(table: MentionTable, pairs: Pairs) -> Stretch:
    """Pairs whose heads stand side by side read a stretch of the text: no more of it need be at hand."""
    low = int(min(pairs.head.min(), pairs.tail.min()))
    high = int(max(pairs.head.max(), pairs.tail.max())) + 1
    here = slice(low, high)
    first = int(min(table.opening[here].min(), table.first[here].min()))
    last = int(max(table.closing[here].max(), table.last[here].max()))
    return Stretch(here, slice(first, last))


def within(mentions: MentionInputs, pairs: PairInputs, here: Stretch) -> tuple[MentionInputs, PairInputs]:
    """The inputs over tables of mentions and of pieces that hold just a stretch."""
    some, shift, first = here.mentions, here.pieces.start, here.mentions.start
    return (
        MentionInputs(
            mentions.label[some],
            mentions.own.part(some, shift),
            mentions.before.part(some, shift),
            mentions.after.part(some, shift),
        ),
        PairInputs(
            pairs.head - first,
            pairs.tail - first,
            pairs.allowed,
            pairs.place,
            pairs.later - first,
            pairs.between - shift,
        ),
    )
