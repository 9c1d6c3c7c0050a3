"""Which pairs of mentions are asked about, and which mentions may be source, time or place. Pure.

From the scheme alone: a pair is asked where some label may join its two labels and the two stand within
reach of each other. Nothing here is quadratic in the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations import scheme
from annotations.document import Mention
from pipeline.pieces import PieceTable

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

LABEL_NUMBER = {label: number for number, label in enumerate(scheme.ENTITY_LABELS)}
_SIGNATURES = tuple(scheme.RELATIONS.values())
# bool [head label, tail label, relation]: what the scheme allows.
ALLOWED: Booleans = np.array(
    [
        [[h in s.heads and t in s.tails for s in _SIGNATURES] for t in scheme.ENTITY_LABELS]
        for h in scheme.ENTITY_LABELS
    ]
)
SYMMETRIC: Booleans = np.array([signature.symmetric for signature in _SIGNATURES])
BETWEEN_ACTORS: Booleans = np.array([label in scheme.ACTOR_RELATIONS for label in scheme.RELATIONS])

# What a relation points at besides its tail: which labels, and how many sentences away.
POINTERS: dict[str, tuple[frozenset[str], int]] = {
    "source": (scheme.ACTOR, 2),
    "time": (frozenset({"DATE"}), 1),
    "place": (scheme.PLACE, 1),
}
_GAPS = np.array([0, 1, 2, 3, 5, 8, 12, 18, 26, 40])  # borders of the buckets of distance, in pieces
GAP_BUCKETS = 2 * (len(_GAPS) + 1)
NESTINGS = 3  # apart, head inside tail, tail inside head
CROWDS = 5  # mentions between the two: 0, 1, 2, 3, more
POINTER_BUCKETS = 2 * 3 * 6  # side, sentences away, mentions away


@dataclass(frozen=True, slots=True)
class MentionTable:
    """The mentions of one document in order of the text, by the pieces that they cover."""

    mentions: tuple[Mention, ...]
    first: Integers  # [mentions], pieces, half-open
    last: Integers
    label: Integers  # [mentions]
    sentence: Integers  # [mentions]

    def __len__(self) -> int:
        return len(self.mentions)


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs that are asked about in one document; rows of all arrays belong together."""

    head: Integers  # [pairs], numbers of mentions
    tail: Integers
    allowed: Booleans  # [pairs, relations]
    gap: Integers  # [pairs], bucket of the signed distance
    nesting: Integers
    crowd: Integers
    context: Integers  # [pairs, 3, 2]: pieces before, between and after the two in their sentences

    def __len__(self) -> int:
        return len(self.head)


def mention_table(mentions: Sequence[Mention], pieces: PieceTable) -> MentionTable:
    """Mentions in canonical order with their pieces."""
    ordered = tuple(sorted(mentions))
    spans = [pieces.pieces_of(mention.start, mention.end) for mention in ordered]
    table = np.array(spans, dtype=np.int64).reshape(-1, 2)
    starts = np.array([mention.start for mention in ordered], dtype=np.int64)
    labels = np.array([LABEL_NUMBER[mention.label] for mention in ordered], dtype=np.int64)
    return MentionTable(ordered, table[:, 0], table[:, 1], labels, pieces.sentence_of(starts))


def ask(table: MentionTable, pieces: PieceTable, reach: int) -> Pairs:
    """All pairs that some relation may join, at most ``reach`` sentences apart, in order of the head."""
    if not len(table):
        return _pairs(table, pieces, np.zeros(0, np.int64), np.zeros(0, np.int64))
    # Mentions are in order of the text, so those within reach stand side by side.
    low = np.searchsorted(table.sentence, table.sentence - reach, side="left")
    high = np.searchsorted(table.sentence, table.sentence + reach, side="right")
    head = np.repeat(np.arange(len(table)), high - low)
    tail = flat_ranges(low, high)
    possible = ALLOWED[table.label[head], table.label[tail]].any(axis=1) & (head != tail)
    return _pairs(table, pieces, head[possible], tail[possible])


def _pairs(table: MentionTable, pieces: PieceTable, head: Integers, tail: Integers) -> Pairs:
    allowed = ALLOWED[table.label[head], table.label[tail]]
    allowed &= ~(SYMMETRIC[None, :] & (head > tail)[:, None])  # stored once, the earlier one first
    keep = allowed.any(axis=1)
    head, tail, allowed = head[keep], tail[keep], allowed[keep]
    h_first, h_last = table.first[head], table.last[head]
    t_first, t_last = table.first[tail], table.last[tail]
    distance = np.maximum(np.maximum(t_first - h_last, h_first - t_last), 0)
    gap = np.searchsorted(_GAPS, distance, side="right") + (len(_GAPS) + 1) * (head > tail)
    inside_tail = (t_first <= h_first) & (h_last <= t_last)
    inside_head = (h_first <= t_first) & (t_last <= h_last) & ~inside_tail
    crowd = np.minimum(np.maximum(np.abs(head - tail) - 1, 0), CROWDS - 1)
    nesting = inside_tail + 2 * inside_head
    context = _context(table, pieces, head, tail)
    return Pairs(head, tail, allowed, gap, nesting.astype(np.int64), crowd, context)


def _context(table: MentionTable, pieces: PieceTable, head: Integers, tail: Integers) -> Integers:
    borders = np.searchsorted(pieces.starts, pieces.sentence_borders, side="left")
    early, late = np.minimum(head, tail), np.maximum(head, tail)
    sentence_start = borders[table.sentence[early]]
    sentence_end = borders[np.minimum(table.sentence[late] + 1, len(borders) - 1)]
    early_last = np.minimum(table.last[early], table.first[late])
    late_last = np.maximum(table.last[late], table.last[early])
    spans = np.stack(
        (
            np.stack((sentence_start, table.first[early]), axis=1),
            np.stack((early_last, table.first[late]), axis=1),
            np.stack((late_last, sentence_end), axis=1),
        ),
        axis=1,
    )
    spans[:, :, 1] = np.maximum(spans[:, :, 1], spans[:, :, 0])
    return spans


def flat_ranges(first: Integers, last: Integers) -> Integers:
    """The numbers of all half-open ranges, one range after the other."""
    lengths = last - first
    total = int(lengths.sum())
    ends = np.cumsum(lengths)
    flat: Integers = np.arange(total) - np.repeat(ends - lengths, lengths) + np.repeat(first, lengths)
    return flat


@dataclass(frozen=True, slots=True)
class Candidates:
    """For each relation the mentions that may be its source, time or place, relation by relation."""

    relation: Integers  # [candidates], numbers of relations
    mention: Integers  # [candidates], numbers of mentions
    bucket: Integers  # [candidates], where the mention stands, seen from the relation


def candidates(table: MentionTable, head: Integers, tail: Integers, kind: str) -> Candidates:
    """The candidates of ``kind`` (a key of POINTERS) for relations between these heads and tails."""
    labels, reach = POINTERS[kind]
    numbers = [LABEL_NUMBER[label] for label in sorted(labels)]
    fitting = np.flatnonzero(np.isin(table.label, numbers))
    early, late = np.minimum(head, tail), np.maximum(head, tail)
    sentences = table.sentence[fitting]
    low = np.searchsorted(sentences, table.sentence[early] - reach, side="left")
    high = np.searchsorted(sentences, table.sentence[late] + reach, side="right")
    relation = np.repeat(np.arange(len(head)), high - low)
    mention = fitting[flat_ranges(low, high)]
    before = mention < early[relation]
    anchor = np.where(before, early[relation], late[relation])
    away = np.abs(table.sentence[mention] - table.sentence[anchor])
    steps = np.searchsorted([0, 1, 2, 4, 8], np.abs(mention - anchor), side="left")
    bucket = (before * 3 + np.minimum(away, 2)) * 6 + steps
    return Candidates(relation, mention, bucket)
