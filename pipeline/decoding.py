"""Vectors of pieces to annotations: tag scores to mentions, pair scores to relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from pipeline import assemble, pairs, tags
from pipeline.heads import TagHead, mean_of_ranges, pointer_log_probabilities
from pipeline.model import Reader
from pipeline.pieces import PieceTable

Floats = NDArray[np.float32]
PAIRS_AT_ONCE = 32768


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
    table: Floats = torch.log_softmax(scores.float() / temperature, dim=-1).numpy()
    return table


def word_scores(head: TagHead, vectors: Tensor, tables: Sequence[PieceTable]) -> Tensor:
    """Outer tag scores of all words of all documents, float [words, tags]."""
    ranges = assemble.word_ranges(tables)
    if not len(ranges.offsets):
        return vectors.new_zeros(0, head.score.out_features)
    flat, offsets = ranges.flat.to(vectors.device), ranges.offsets.to(vectors.device)
    scores: Tensor = head(mean_of_ranges(vectors, flat, offsets))
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
        for mention in mentions:
            first, last = tables[number].pieces_of(mention.start, mention.end)
            if last - first > 1:
                owners.append((number, mention, first, last))
    found: list[list[Mention]] = [[] for _ in tables]
    if not owners:
        return found
    begins = np.array([starts[number] + first for number, _, first, _ in owners])
    ends = np.array([starts[number] + last for number, _, _, last in owners])
    flat = torch.from_numpy(pairs.flat_ranges(begins, ends))
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


def decode_relations(
    reader: Reader,
    vectors: Tensor,
    tables: Sequence[PieceTable],
    mentions: Sequence[Sequence[Mention]],
    thresholds: Thresholds,
) -> tuple[list[Annotation], int]:
    """The annotation of each document from its mentions, and how many pairs were asked about."""
    mention_tables = [
        pairs.mention_table(found if len(table) else [], table)
        for found, table in zip(mentions, tables, strict=True)
    ]
    found_pairs = [
        pairs.ask(mention_table, table, reader.settings.reach)
        for mention_table, table in zip(mention_tables, tables, strict=True)
    ]
    asked = assemble.asked(mention_tables, found_pairs, [len(table) for table in tables])
    relations: list[list[Relation]] = [[] for _ in tables]
    if len(asked):
        _relate(reader, reader.beside_words(vectors, piece_ids(tables)), asked, thresholds, relations)
    # Where there is no piece, the mentions stand as they were told, and nothing joins them.
    annotations = [
        Annotation(tuple(sorted(told)), tuple(sorted(found)))
        for told, found in zip(mentions, relations, strict=True)
    ]
    return annotations, len(asked)


def piece_ids(tables: Sequence[PieceTable]) -> Tensor:
    """The pieces of all documents, int64 [pieces]."""
    return torch.from_numpy(np.concatenate([table.ids for table in tables]))


def _relate(
    reader: Reader,
    vectors: Tensor,
    asked: assemble.Asked,
    thresholds: Thresholds,
    relations: list[list[Relation]],
) -> None:
    inputs = assemble.pair_inputs(asked)
    mention_vectors = reader.relations.mentions(vectors, inputs)
    limit = torch.where(torch.from_numpy(pairs.BETWEEN_ACTORS), thresholds.actors, thresholds.static).float()
    for rows, low, high in assemble.blocks(inputs, PAIRS_AT_ONCE):
        block = assemble.block_of(inputs, rows, low)
        hidden, scores = reader.relations(vectors[low:high], mention_vectors, block)
        chances = torch.sigmoid(scores.float())
        if not bool(torch.isfinite(chances).all()):
            raise NotFiniteError("relation scores are not finite")
        chosen, label = torch.nonzero(chances >= limit, as_tuple=True)
        if len(chosen):
            found = Found(
                chosen.numpy() + rows.start,
                label.numpy(),
                chances[chosen, label].numpy(),
                reader.relations.details(hidden[chosen], label),
            )
            _resolve(reader, mention_vectors, asked, found, relations)


@dataclass(frozen=True, slots=True)
class Found:
    """Relations that were found, before their arguments are: rows belong together."""

    pair: NDArray[np.int64]  # numbered through all documents
    label: NDArray[np.int64]
    score: Floats
    details: Tensor  # float [relations, hidden]


def _resolve(
    reader: Reader,
    mention_vectors: Tensor,
    asked: assemble.Asked,
    found: Found,
    relations: list[list[Relation]],
) -> None:
    modality = reader.relations.modality(found.details).argmax(dim=1).tolist()
    document = np.searchsorted(asked.pair_shift, found.pair, side="right") - 1
    for number in np.unique(document).tolist():
        rows = np.flatnonzero(document == number)
        table, asked_here = asked.mentions[number], asked.pairs[number]
        local = found.pair[rows] - asked.pair_shift[number]
        head, tail = asked_here.head[local], asked_here.tail[local]
        shift = int(asked.mention_shift[number])
        vectors = mention_vectors[shift : shift + len(table)]
        pointed = {
            kind: _point(
                pointer, found.details[rows], vectors, table, pairs.candidates(table, head, tail, kind)
            )
            for kind, pointer in reader.relations.pointers.items()
        }
        for index, row in enumerate(rows.tolist()):
            actors = bool(pairs.BETWEEN_ACTORS[found.label[row]])
            arguments = {
                kind: mention[index] if actors or kind == "source" else None
                for kind, mention in pointed.items()
            }
            relations[number].append(
                Relation(
                    table.mentions[head[index]],
                    table.mentions[tail[index]],
                    scheme.RELATION_LABELS[found.label[row]],
                    modality=scheme.MODALITIES[modality[row]],
                    score=float(found.score[row]),
                    **arguments,
                )
            )


def _point(
    pointer: nn.Module,
    details: Tensor,
    vectors: Tensor,
    table: pairs.MentionTable,
    options: pairs.Candidates,
) -> list[Mention | None]:
    """The likeliest of the candidates of each relation, or None."""
    relation, mention, bucket = map(torch.from_numpy, (options.relation, options.mention, options.bucket))
    scores, none = pointer(details, vectors, relation, mention, bucket)
    scores, none = pointer_log_probabilities(scores, none, relation)
    best: list[Mention | None] = [None] * len(details)
    top = none.tolist()
    for number, mention, score in zip(
        options.relation.tolist(), options.mention.tolist(), scores.tolist(), strict=True
    ):
        if score > top[number]:
            top[number] = score
            best[number] = table.mentions[mention]
    return best
