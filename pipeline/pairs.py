"""Which pairs of mentions are asked about, and which mentions may be source, time or place. Pure.

From the scheme alone: a pair is asked where some label may join its two labels and the two stand within
reach of each other. Nothing here is quadratic in the document, but in what stands within reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
# bool [2 * labels * labels, relations]: the same, for heads behind their tails, then for heads before them.
_ALLOWED_IN_ORDER: Booleans = np.stack((ALLOWED & ~SYMMETRIC, ALLOWED)).reshape(-1, len(_SIGNATURES))
_POSSIBLE = np.asarray(_ALLOWED_IN_ORDER.any(axis=1))
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
PLACES = GAP_BUCKETS * NESTINGS * CROWDS
POINTER_BUCKETS = 2 * 3 * 6  # side, sentences away, mentions away


@dataclass(frozen=True, slots=True)
class MentionTable:
    """Mentions in order of the text, by the pieces that they cover: of one document, or of several in a row.

    Of several, the sentences of two documents are further apart than any reach: they share no pair.
    """

    mentions: tuple[Mention, ...]
    first: Integers  # [mentions], pieces, half-open
    last: Integers
    label: Integers  # [mentions]
    sentence: Integers  # [mentions]
    opening: Integers  # [mentions], the piece that its sentence starts with
    closing: Integers  # [mentions], one past the last piece of its sentence

    def __len__(self) -> int:
        return len(self.mentions)


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs that are asked about; rows of all arrays belong together, in order of the head."""

    head: Integers  # [pairs], numbers of mentions
    tail: Integers
    allowed: Booleans  # [pairs, relations]
    place: Integers  # [pairs], how the two stand to each other: a number below PLACES
    later: Integers  # [pairs], that of the two which ends later
    between: Integers  # [pairs, 2]: the pieces between the two

    def __len__(self) -> int:
        return len(self.head)


def mention_table(mentions: Sequence[Mention], pieces: PieceTable) -> MentionTable:
    """Mentions in canonical order with their pieces; of a document without pieces, none."""
    ordered = tuple(dict.fromkeys(sorted(mentions))) if len(pieces) else ()
    starts = np.array([mention.start for mention in ordered], dtype=np.int64)
    ends = np.array([mention.end for mention in ordered], dtype=np.int64)
    first, last = pieces.pieces_of_all(starts, ends)
    labels = np.array([LABEL_NUMBER[mention.label] for mention in ordered], dtype=np.int64)
    sentence = pieces.sentence_of(starts)
    borders = np.searchsorted(pieces.starts, pieces.sentence_borders, side="left")
    closing = borders[np.minimum(sentence + 1, len(borders) - 1)]
    return MentionTable(ordered, first, last, labels, sentence, borders[sentence], closing)


def ask_in_parts(table: MentionTable, reach: int, size: int) -> Iterator[Pairs]:
    """``ask`` for some heads after the other: about ``size`` pairs at once, so that memory has an end.

    A sentence has one, so what a part needs does not grow with the document.
    """
    low, high = _within_reach(table, reach)
    before = np.concatenate(([0], np.cumsum(high - low)))
    start = 0
    while start < len(table):
        stop = max(int(np.searchsorted(before, before[start] + size, side="right")) - 1, start + 1)
        yield _ask(table, np.arange(start, stop), low[start:stop], high[start:stop])
        start = stop


def ask(table: MentionTable, reach: int) -> Pairs:
    """All pairs that some relation may join, at most ``reach`` sentences apart, in order of the head."""
    return _ask(table, np.arange(len(table)), *_within_reach(table, reach))


def _within_reach(table: MentionTable, reach: int) -> tuple[Integers, Integers]:
    """For each mention the first one within reach, and one past the last."""
    # Mentions are in order of the text, so those within reach stand side by side.
    low = np.searchsorted(table.sentence, table.sentence - reach, side="left")
    return low, np.searchsorted(table.sentence, table.sentence + reach, side="right")


def _ask(table: MentionTable, heads: Integers, low: Integers, high: Integers) -> Pairs:
    head = np.repeat(heads, high - low)
    tail = flat_ranges(low, high)
    # Of a symmetric relation, which is stored once, the earlier mention is the head.
    forward = (head < tail).astype(np.int64)
    kind = (forward * len(ALLOWED) + table.label[head]) * len(ALLOWED) + table.label[tail]
    possible = np.flatnonzero(_POSSIBLE[kind] & (head != tail))
    head, tail, allowed = head[possible], tail[possible], _ALLOWED_IN_ORDER[kind[possible]]
    h_first, h_last = table.first[head], table.last[head]
    t_first, t_last = table.first[tail], table.last[tail]
    distance = np.maximum(np.maximum(t_first - h_last, h_first - t_last), 0)
    gap = np.searchsorted(_GAPS, distance, side="right") + (len(_GAPS) + 1) * (head > tail)
    inside_tail = (t_first <= h_first) & (h_last <= t_last)
    inside_head = (h_first <= t_first) & (t_last <= h_last) & ~inside_tail
    nesting = inside_tail + 2 * inside_head
    crowd = np.minimum(np.maximum(np.abs(head - tail) - 1, 0), CROWDS - 1)
    early, late = np.minimum(head, tail), np.maximum(head, tail)
    start = np.minimum(table.last[early], table.first[late])
    between = np.stack((start, np.maximum(table.first[late], start)), axis=1)
    later = np.where(table.last[late] >= table.last[early], late, early)
    return Pairs(head, tail, allowed, (gap * NESTINGS + nesting) * CROWDS + crowd, later, between)


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
