"""Documents with gold as what a model should say: tags, relations, arguments. Pure.

Whatever of the gold cannot be asked for (a mention that no piece border meets, a pair out of reach) is
counted here, so that it shows in the manifest and never as a better score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from pipeline import pairs, tags
from pipeline.pairs import LABEL_NUMBER, MentionTable, Pairs
from pipeline.pieces import PieceTable

Integers = NDArray[np.int64]
RELATION_NUMBER = {label: number for number, label in enumerate(scheme.RELATION_LABELS)}
MODALITY_NUMBER = {label: number for number, label in enumerate(scheme.MODALITIES)}
NO_TARGET = -2  # the gold argument is out of reach: no loss
NONE = -1  # the gold says that there is none


@dataclass(frozen=True, slots=True)
class Gold:
    """Gold relations among the asked pairs; rows of all arrays belong together."""

    pair: Integers  # [relations], numbers of pairs
    label: Integers
    modality: Integers
    pointers: dict[str, Integers]  # by kind: number of a mention, NONE or NO_TARGET


@dataclass(frozen=True, slots=True)
class Example:
    """One document with everything that training and threshold fitting need."""

    document: Document
    table: PieceTable
    outer: Integers  # [words], tags
    inner_pieces: Integers  # pieces inside outer mentions
    inner: Integers  # their tags
    mentions: MentionTable
    pairs: Pairs
    gold: Gold
    unaligned: int  # gold mentions whose borders no word or piece meets
    unasked: int  # gold relations whose pair is out of reach


def example(document: Document, table: PieceTable, reach: int) -> Example:
    """Targets for one document. Raises ValueError where it has no gold."""
    if document.annotation is None:
        raise ValueError(f"{document.id}: has no annotation; only annotated documents can be learned from")
    outer, inner = document.annotation.layers()
    outer_tags, lost_outer = _outer_tags(outer, table)
    inner_pieces, inner_tags, lost_inner = _inner_tags(outer, inner, table)
    mentions = pairs.mention_table(document.annotation.mentions, table)
    asked = pairs.ask(mentions, table, reach)
    gold, unasked = _gold(document.annotation, mentions, asked)
    return Example(
        document,
        table,
        outer_tags,
        inner_pieces,
        inner_tags,
        mentions,
        asked,
        gold,
        lost_outer + lost_inner,
        unasked,
    )


def _outer_tags(outer: Sequence[Mention], table: PieceTable) -> tuple[Integers, int]:
    spans: list[tuple[int, int, int]] = []
    lost = 0
    for mention in outer:
        first, last = table.words_of(mention.start, mention.end)
        taken = bool(spans) and first < spans[-1][1]
        if first == last or taken:
            lost += 1
            continue
        exact = table.word_starts[first] == mention.start and table.word_ends[last - 1] == mention.end
        lost += not exact
        spans.append((first, last, LABEL_NUMBER[mention.label]))
    return tags.encode(spans, len(table.word_starts)), lost


def _inner_tags(
    outer: Sequence[Mention], inner: Sequence[Mention], table: PieceTable
) -> tuple[Integers, Integers, int]:
    pieces: list[Integers] = []
    rows: list[Integers] = []
    lost = 0
    for mention in outer:
        first, last = table.pieces_of(mention.start, mention.end)
        if last - first < 2:
            lost += sum(mention.holds(other) for other in inner)
            continue
        spans: list[tuple[int, int, int]] = []
        for other in inner:
            if not mention.holds(other):
                continue
            begin, end = _mostly_inside(other, table, first, last)
            if begin >= end or (spans and begin < spans[-1][1]):
                lost += 1
                continue
            lost += table.starts[begin] < other.start or table.ends[end - 1] > other.end
            spans.append((begin - first, end - first, LABEL_NUMBER[other.label]))
        pieces.append(np.arange(first, last))
        rows.append(tags.encode(spans, last - first))
    empty = np.zeros(0, dtype=np.int64)
    joined = np.concatenate([empty, *pieces]), np.concatenate([empty, *rows])
    return joined[0], joined[1], int(lost)


def _mostly_inside(mention: Mention, table: PieceTable, first: int, last: int) -> tuple[int, int]:
    """The pieces that lie in a mention with at least half of their characters."""
    starts, ends = table.starts[first:last], table.ends[first:last]
    shared = np.minimum(ends, mention.end) - np.maximum(starts, mention.start)
    inside = np.flatnonzero(2 * shared >= ends - starts)
    if not len(inside):
        return first, first
    return first + int(inside[0]), first + int(inside[-1]) + 1


def _gold(annotation: Annotation, table: MentionTable, asked: Pairs) -> tuple[Gold, int]:
    number_of = {mention: number for number, mention in enumerate(table.mentions)}
    pair_of = {
        pair: number for number, pair in enumerate(zip(asked.head.tolist(), asked.tail.tolist(), strict=True))
    }
    found: list[tuple[int, Relation]] = []
    for relation in annotation.relations:
        pair = pair_of.get((number_of[relation.head], number_of[relation.tail]))
        if pair is not None:
            found.append((pair, relation))
    pair_numbers = np.array([pair for pair, _ in found], dtype=np.int64)
    head, tail = asked.head[pair_numbers], asked.tail[pair_numbers]
    pointers = {}
    for kind in pairs.POINTERS:
        arguments = [getattr(relation, kind) for _, relation in found]
        options = pairs.candidates(table, head, tail, kind)
        reachable = set(zip(options.relation.tolist(), options.mention.tolist(), strict=True))
        pointers[kind] = np.array(
            [
                NONE
                if argument is None
                else number_of[argument]
                if (row, number_of[argument]) in reachable
                else NO_TARGET
                for row, argument in enumerate(arguments)
            ],
            dtype=np.int64,
        )
    gold = Gold(
        pair_numbers,
        np.array([RELATION_NUMBER[relation.label] for _, relation in found], dtype=np.int64),
        np.array([MODALITY_NUMBER[relation.modality] for _, relation in found], dtype=np.int64),
        pointers,
    )
    return gold, len(annotation.relations) - len(found)


def relation_targets(example: Example) -> NDArray[np.float32]:
    """1 where a pair holds a relation, float32 [pairs, relations]."""
    targets = np.zeros((len(example.pairs), len(scheme.RELATION_LABELS)), dtype=np.float32)
    targets[example.gold.pair, example.gold.label] = 1.0
    return targets
