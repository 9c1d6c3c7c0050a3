"""Documents with gold as what a model should say: tags, relations, arguments. Pure.

Whatever of the gold cannot be asked for (a mention that no piece border meets, a pair out of reach) is
counted here, so that it shows in the manifest and never as a better score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from annotations.schemes import LABELS, NESTED, OWN
from pipeline import pairs, segments, tags
from pipeline.pairs import MentionTable, Pairs
from pipeline.pieces import PieceTable, Words, between_blanks, tokenize

Integers = NDArray[np.int64]
RELATION_NUMBER = {label: number for number, label in enumerate(scheme.RELATION_LABELS)}
MODALITY_NUMBER = {label: number for number, label in enumerate(scheme.MODALITIES)}
NUMBERS: dict[str, dict[str, int]] = {  # of each scheme's labels
    name: {label: number for number, label in enumerate(labels)} for name, labels in LABELS.items()
}
WORDS: dict[str, Words] = {"germeval": between_blanks}  # schemes whose corpus gives the words
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
    scheme: str = OWN  # whose labels the tags are; any other has no relations


def read_examples(
    documents: Sequence[Document], tokenizer: Tokenizer, reach: int, name: str = OWN
) -> list[Example]:
    """The documents of a scheme with their targets; those without a piece are left out."""
    tables = tokenize(documents, tokenizer, WORDS.get(name, segments.words))
    pairs = zip(documents, tables, strict=True)
    return [example(document, table, reach, name) for document, table in pairs if len(table)]


def example(document: Document, table: PieceTable, reach: int, name: str = OWN) -> Example:
    """Targets for one document in the scheme of that name. Raises ValueError where it has no gold."""
    if document.annotation is None:
        raise ValueError(f"{document.id}: has no annotation; only annotated documents can be learned from")
    outer, inner = document.annotation.layers()
    outer_tags, lost_outer = _outer_tags(outer, table, NUMBERS[name])
    learned = inner if name in NESTED else ()
    inner_pieces, inner_tags, lost_inner = _inner_tags(outer, learned, table, NUMBERS[name])
    related = document.annotation if name == OWN else Annotation()
    mentions = pairs.mention_table(related.mentions, table)
    asked = pairs.ask(mentions, reach)
    gold, unasked = _gold(related, mentions, asked)
    return Example(
        document,
        table,
        outer_tags,
        inner_pieces,
        inner_tags,
        mentions,
        asked,
        gold,
        lost_outer + lost_inner + len(inner) - len(learned),
        unasked,
        name,
    )


def _outer_tags(
    outer: Sequence[Mention], table: PieceTable, numbers: Mapping[str, int]
) -> tuple[Integers, int]:
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
        spans.append((first, last, numbers[mention.label]))
    return tags.encode(spans, len(table.word_starts)), lost


def _inner_tags(
    outer: Sequence[Mention], inner: Sequence[Mention], table: PieceTable, numbers: Mapping[str, int]
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
            spans.append((begin - first, end - first, numbers[other.label]))
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
