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
from pipeline.heads import PairInputs, Ranges, Shared, pointer_log_probabilities
from pipeline.model import Reader
from pipeline.pieces import PieceTable

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
# About so many pairs, counted before the scheme is asked, share what is computed for pieces and mentions.
PAIRS_AT_ONCE = 65536
SCORED_AT_ONCE = 2048  # pairs whose vectors fit a processor's cache; any other device scores all at once


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
    relations: list[list[Relation]] = [[] for _ in tables]
    asked = 0
    if len(table):
        pair_reader = PairReader(reader, table, vectors, piece_ids(tables), thresholds)
        for some in pairs.ask_in_parts(table, reader.settings.reach, PAIRS_AT_ONCE):
            if len(some):
                asked += len(some)
                pair_reader.relate(some, relations)
    # Where there is no piece, the mentions stand as they were told, and nothing joins them.
    annotations = [
        Annotation(tuple(sorted(told)), tuple(sorted(there)))
        for told, there in zip(mentions, relations, strict=True)
    ]
    return annotations, asked


def piece_ids(tables: Sequence[PieceTable]) -> Tensor:
    """The pieces of all documents, int64 [pieces]."""
    return torch.from_numpy(np.concatenate([table.ids for table in tables]))


def score_pairs(
    reader: Reader, vectors: Tensor, ids: Tensor, table: pairs.MentionTable, asked: pairs.Pairs
) -> tuple[Tensor, Tensor, Tensor]:
    """All pairs at once, as training and fitting need them: vectors of mentions and of pairs, and scores.

    Float [mentions, width], [pairs, hidden] and [pairs, relations], from float [pieces, width] and
    int64 [pieces].
    """
    head, inputs = reader.relations, assemble.mention_inputs(table).to(vectors.device)
    deep = reader.beside_words(vectors, ids)
    mentions = head.mentions(deep, inputs)
    shared = head.share(head.contexts(deep), mentions, inputs)
    hidden, scores = head(shared, assemble.pair_inputs(asked).to(vectors.device))
    return mentions, hidden, scores


def context_inputs(reader: Reader, vectors: Tensor, ids: Tensor) -> Tensor:
    """What pieces give to contexts, as RelationHead.contexts in evaluation: few kinds make up a text."""
    kinds, kind = np.unique(ids.numpy(), return_inverse=True)
    lexical = reader.lexical_vectors(torch.from_numpy(kinds), vectors.device)
    return reader.relations.contexts_beside(vectors, lexical, torch.from_numpy(kind).to(vectors.device))


class PairReader:
    """What all pairs of some documents are read from."""

    def __init__(
        self,
        reader: Reader,
        table: pairs.MentionTable,
        vectors: Tensor,
        ids: Tensor,
        thresholds: Thresholds,
    ) -> None:
        self.reader, self.table, self.vectors, self.ids = reader, table, vectors, ids
        self.device = vectors.device
        self.inputs = assemble.mention_inputs(table)
        self.mentions = self._mention_vectors()
        between_actors = torch.from_numpy(pairs.BETWEEN_ACTORS)
        limit = torch.where(between_actors, thresholds.actors, thresholds.static).float()
        self.limit = limit.to(self.device)

    def _mention_vectors(self) -> Tensor:
        """Vectors of all mentions, float [mentions, width]; only their own pieces are looked at."""
        rows = self.inputs.own.flat
        deep = self.reader.beside_words(self.vectors[rows.to(self.device)], self.ids[rows])
        own = Ranges(torch.arange(len(rows)), self.inputs.own.offsets)
        return self.reader.relations.mentions(deep, replace(self.inputs, own=own).to(self.device))

    def relate(self, asked: pairs.Pairs, relations: list[list[Relation]]) -> None:
        """Put the relations among the pairs to their documents. Raises NotFiniteError."""
        head = self.reader.relations
        here = assemble.stretch(self.table, asked)
        mentions, rows = assemble.within(self.inputs, assemble.pair_inputs(asked), here)
        contexts = context_inputs(self.reader, self.vectors[here.pieces], self.ids[here.pieces])
        shared = head.share(contexts, self.mentions[here.mentions], mentions.to(self.device))
        size = SCORED_AT_ONCE if self.device.type == "cpu" else len(rows)
        starts, rows = range(0, len(rows), size), rows.to(self.device)
        parts = [self._score(shared, rows[start : start + size], start) for start in starts]
        pair, label, score, hidden = (torch.cat(column) for column in zip(*parts, strict=True))
        if len(pair):
            details = head.details(hidden, label)
            pair, label, score = pair.cpu(), label.cpu(), score.cpu()
            self._resolve(asked, Found(pair.numpy(), label.numpy(), score.numpy(), details), relations)

    def _score(self, shared: Shared, rows: PairInputs, start: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The relations among some pairs: numbers of pairs, labels, probabilities, vectors of the pairs."""
        hidden, scores = self.reader.relations(shared, rows)
        chances = torch.sigmoid(scores.float())
        if not bool(torch.isfinite(chances).all()):
            raise NotFiniteError("relation scores are not finite")
        pair, label = torch.nonzero((chances >= self.limit) & rows.allowed, as_tuple=True)
        return pair + start, label, chances[pair, label], hidden[pair]

    def _resolve(self, asked: pairs.Pairs, found: Found, relations: list[list[Relation]]) -> None:
        """Give each relation its modality, source, time and place, and put it to its document.

        Its score is that of its label, given the two mentions, times theirs: it is right where all are.
        """
        table = self.table
        head, tail = asked.head[found.pair], asked.tail[found.pair]
        modality = self.reader.relations.modality(found.details).argmax(dim=1).tolist()
        actors = pairs.BETWEEN_ACTORS[found.label]
        pointed: dict[str, list[Mention | None]] = {}
        for kind, pointer in self.reader.relations.pointers.items():
            best = _point(pointer, found.details, self.mentions, pairs.candidates(table, head, tail, kind))
            known = (best >= 0) & (actors | (kind == "source"))
            pointed[kind] = [
                table.mentions[mention] if is_known else None
                for mention, is_known in zip(best.tolist(), known.tolist(), strict=True)
            ]
        documents = assemble.document_of(table, head)
        columns = (column.tolist() for column in (documents, head, tail, found.label, found.score))
        for row, (document, at_head, at_tail, label, score) in enumerate(zip(*columns, strict=True)):
            first, second = table.mentions[at_head], table.mentions[at_tail]
            relations[document].append(
                Relation(
                    first,
                    second,
                    scheme.RELATION_LABELS[label],
                    modality=scheme.MODALITIES[modality[row]],
                    score=score * first.score * second.score,
                    **{kind: mentions[row] for kind, mentions in pointed.items()},
                )
            )


def _point(pointer: nn.Module, details: Tensor, vectors: Tensor, options: pairs.Candidates) -> Integers:
    """The likeliest candidate of each relation, or -1 where none is likelier; int64 [relations]."""
    columns = (options.relation, options.mention, options.bucket)
    relation, mention, bucket = (torch.from_numpy(column).to(details.device) for column in columns)
    raw, raw_none = pointer(details, vectors, relation, mention, bucket)
    scores, none = (part.cpu().numpy() for part in pointer_log_probabilities(raw, raw_none, relation))
    best = np.full(len(details), -1, dtype=np.int64)
    order = np.lexsort((-scores, options.relation))  # the first of a relation is its likeliest
    with_options, first = np.unique(options.relation[order], return_index=True)
    likeliest = order[first]
    chosen = scores[likeliest] > none[with_options]
    best[with_options[chosen]] = options.mention[likeliest[chosen]]
    return best
