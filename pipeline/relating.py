"""Mentions to relations: pairs are asked about in bulk, and what is found gets its modality and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from annotations import scheme
from annotations.document import Annotation, Mention, Relation
from pipeline import assemble, pairs
from pipeline.decoding import NotFiniteError, Thresholds
from pipeline.heads import MentionInputs, PairInputs, Ranges, Shared, pointer_log_probabilities
from pipeline.model import Reader
from pipeline.pieces import PieceTable

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
PAIRS_AT_ONCE = 32768  # share what is computed for their pieces and mentions
SCORED_AT_ONCE = 2048  # pairs whose vectors fit the processor's cache


@dataclass(frozen=True, slots=True)
class Found:
    """Relations that were found, before their arguments are: rows belong together."""

    pair: Integers
    label: Integers
    score: Floats
    details: Tensor  # float [relations, hidden]


def decode_relations(
    reader: Reader,
    vectors: Tensor,
    tables: Sequence[PieceTable],
    mentions: Sequence[Sequence[Mention]],
    thresholds: Thresholds,
) -> tuple[list[Annotation], int]:
    """The annotation of each document from its mentions, and how many pairs were asked about.

    ``vectors``: float [pieces of all documents, width].
    """
    found = [pairs.mention_table(told, table) for told, table in zip(mentions, tables, strict=True)]
    table = assemble.join_mentions(found, [len(pieces) for pieces in tables])
    asked = pairs.ask(table, reader.settings.reach)
    relations: list[list[Relation]] = [[] for _ in tables]
    if len(asked):
        _relate(reader, vectors, piece_ids(tables), Question(table, asked, thresholds), relations)
    # Where there is no piece, the mentions stand as they were told, and nothing joins them.
    annotations = [
        Annotation(tuple(sorted(told)), tuple(sorted(there)))
        for told, there in zip(mentions, relations, strict=True)
    ]
    return annotations, len(asked)


def piece_ids(tables: Sequence[PieceTable]) -> Tensor:
    """The pieces of all documents, int64 [pieces]."""
    return torch.from_numpy(np.concatenate([table.ids for table in tables]))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what counts as a yes."""

    table: pairs.MentionTable
    pairs: pairs.Pairs
    thresholds: Thresholds

    def limit(self) -> Tensor:
        """From which probability on a relation is predicted, float [relations]."""
        actors = torch.from_numpy(pairs.BETWEEN_ACTORS)
        return torch.where(actors, self.thresholds.actors, self.thresholds.static).float()


def _relate(
    reader: Reader, vectors: Tensor, ids: Tensor, question: Question, relations: list[list[Relation]]
) -> None:
    inputs, asked = assemble.mention_inputs(question.table), assemble.pair_inputs(question.pairs)
    mention_vectors = _mention_vectors(reader, vectors, ids, inputs)
    for block in assemble.blocks(question.table, question.pairs, PAIRS_AT_ONCE):
        here, rows = assemble.within(inputs, asked, block)
        deep = reader.beside_words(vectors[block.pieces], ids[block.pieces])
        shared = reader.relations.share(deep, mention_vectors[block.mentions], here)
        parts = [
            _score(reader, shared, rows[start : start + SCORED_AT_ONCE], question.limit())
            for start in range(0, len(rows), SCORED_AT_ONCE)
        ]
        pair, label, score, hidden = (torch.cat(column) for column in zip(*parts, strict=True))
        if len(pair):
            shift = torch.arange(0, len(rows), SCORED_AT_ONCE) + block.pairs.start
            pair = pair + shift.repeat_interleave(torch.tensor([len(part[0]) for part in parts]))
            details = reader.relations.details(hidden, label)
            found = Found(pair.numpy(), label.numpy(), score.numpy(), details)
            _resolve(reader, mention_vectors, question, found, relations)


def _mention_vectors(reader: Reader, vectors: Tensor, ids: Tensor, inputs: MentionInputs) -> Tensor:
    """Vectors of all mentions, float [mentions, width]; only their own pieces are looked at."""
    rows = inputs.own.flat
    deep = reader.beside_words(vectors[rows], ids[rows])
    own = Ranges(torch.arange(len(rows)), inputs.own.offsets)
    return reader.relations.mentions(deep, replace(inputs, own=own))


def _score(
    reader: Reader, shared: Shared, rows: PairInputs, limit: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The relations among some pairs: numbers of pairs, labels, probabilities, vectors of the pairs."""
    hidden, scores = reader.relations(shared, rows)
    chances = torch.sigmoid(scores.float())
    if not bool(torch.isfinite(chances).all()):
        raise NotFiniteError("relation scores are not finite")
    pair, label = torch.nonzero(chances >= limit, as_tuple=True)
    return pair, label, chances[pair, label], hidden[pair]


def _resolve(
    reader: Reader,
    mention_vectors: Tensor,
    question: Question,
    found: Found,
    relations: list[list[Relation]],
) -> None:
    """Give each relation its modality, source, time and place, and put it to its document."""
    table = question.table
    head, tail = question.pairs.head[found.pair], question.pairs.tail[found.pair]
    modality = reader.relations.modality(found.details).argmax(dim=1).tolist()
    actors = pairs.BETWEEN_ACTORS[found.label]
    pointed: dict[str, list[Mention | None]] = {}
    for kind, pointer in reader.relations.pointers.items():
        options = pairs.candidates(table, head, tail, kind)
        best = _point(pointer, found.details, mention_vectors, options)
        known = (best >= 0) & (actors | (kind == "source"))
        pointed[kind] = [
            table.mentions[mention] if is_known else None
            for mention, is_known in zip(best.tolist(), known.tolist(), strict=True)
        ]
    rows = zip(
        assemble.document_of(table, head).tolist(),
        head.tolist(),
        tail.tolist(),
        found.label.tolist(),
        found.score.tolist(),
        strict=True,
    )
    for row, (document, first, second, label, score) in enumerate(rows):
        relations[document].append(
            Relation(
                table.mentions[first],
                table.mentions[second],
                scheme.RELATION_LABELS[label],
                modality=scheme.MODALITIES[modality[row]],
                score=score,
                **{kind: mentions[row] for kind, mentions in pointed.items()},
            )
        )


def _point(pointer: nn.Module, details: Tensor, vectors: Tensor, options: pairs.Candidates) -> Integers:
    """The likeliest candidate of each relation, or -1 where none is likelier; int64 [relations]."""
    relation, mention, bucket = map(torch.from_numpy, (options.relation, options.mention, options.bucket))
    raw, raw_none = pointer(details, vectors, relation, mention, bucket)
    scores, none = (part.numpy() for part in pointer_log_probabilities(raw, raw_none, relation))
    best = np.full(len(details), -1, dtype=np.int64)
    order = np.lexsort((-scores, options.relation))  # the first of a relation is its likeliest
    with_options, first = np.unique(options.relation[order], return_index=True)
    likeliest = order[first]
    chosen = scores[likeliest] > none[with_options]
    best[with_options[chosen]] = options.mention[likeliest[chosen]]
    return best
