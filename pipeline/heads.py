"""What reads the piece vectors: tag scores of words and pieces; scores of relations and their arguments."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from annotations import scheme
from pipeline import pairs, tags

LABELS = len(scheme.ENTITY_LABELS)
RELATIONS = len(scheme.RELATION_LABELS)
MODALITIES = len(scheme.MODALITIES)
CONTEXT_HEADS = 4
_LEAST_WEIGHT = 1e-6  # of a stretch without a piece


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges of rows of a table, one after the other; a row may stand in several, a range may be empty."""

    flat: Tensor  # int64, the rows of all ranges
    offsets: Tensor  # int64 [ranges], where each range starts in it

    def __len__(self) -> int:
        return len(self.offsets)

    def to(self, device: torch.device | str) -> Ranges:
        """The same on a device."""
        return Ranges(self.flat.to(device), self.offsets.to(device))

    def part(self, some: slice, shift: int) -> Ranges:
        """Some of the ranges, over a table that begins ``shift`` rows later."""
        end = int(self.offsets[some.stop]) if some.stop < len(self) else len(self.flat)
        offsets = self.offsets[some]
        begin = int(offsets[0]) if len(offsets) else end
        return Ranges(self.flat[begin:end] - shift, offsets - begin)


def mean_of_ranges(table: Tensor, ranges: Ranges) -> Tensor:
    """The mean row of each range, float [ranges, width]; zeros for an empty one.

    Exact whatever else is in the table, unlike differences of running sums.
    """
    return functional.embedding_bag(ranges.flat, table, ranges.offsets, mode="mean")


def sum_of_ranges(table: Tensor, ranges: Ranges) -> Tensor:
    """The sum of the rows of each range, float [ranges, width]."""
    return functional.embedding_bag(ranges.flat, table, ranges.offsets, mode="sum")


class TagHead(nn.Module):
    """Tag scores of one layer: vectors float [units, width] → float [units, tags]."""

    def __init__(self, width: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(width, tags.tag_count(labels))

    def forward(self, vectors: Tensor) -> Tensor:
        scores: Tensor = self.score(self.dropout(vectors))
        return scores


class SchemeHeads(nn.Module):
    """The tag heads of another scheme: its labels are learned beside ours, and never as their absence."""

    def __init__(self, width: int, labels: int, dropout: float, *, nested: bool) -> None:
        super().__init__()
        self.outer = TagHead(width, labels, dropout)
        self.inner = TagHead(width, labels, dropout) if nested else None


@dataclass(frozen=True, slots=True)
class MentionInputs:
    """Mentions, as ranges of a table of pieces."""

    label: Tensor  # int64 [mentions]
    own: Ranges  # the pieces of each mention
    before: Ranges  # the pieces from the start of its sentence to the mention
    after: Ranges  # those from the mention to the end of its sentence

    def __len__(self) -> int:
        return len(self.label)

    def to(self, device: torch.device | str) -> MentionInputs:
        """The same on a device."""
        ranges = (self.own, self.before, self.after)
        return MentionInputs(self.label.to(device), *(one.to(device) for one in ranges))


@dataclass(frozen=True, slots=True)
class PairInputs:
    """Pairs of mentions, as in pairs.Pairs."""

    head: Tensor  # int64 [pairs], mentions
    tail: Tensor
    allowed: Tensor  # bool [pairs, relations]
    place: Tensor  # int64 [pairs]
    later: Tensor  # int64 [pairs], mentions
    between: Tensor  # int64 [pairs, 2], pieces

    def __len__(self) -> int:
        return len(self.head)

    def __getitem__(self, rows: slice) -> PairInputs:
        """Some of the pairs."""
        return PairInputs(*(column[rows] for column in self._columns()))

    def to(self, device: torch.device | str) -> PairInputs:
        """The same on a device."""
        return PairInputs(*(column.to(device) for column in self._columns()))

    def _columns(self) -> tuple[Tensor, ...]:
        return self.head, self.tail, self.allowed, self.place, self.later, self.between


@dataclass(frozen=True, slots=True)
class Shared:
    """What pairs have in common, so that each is put together from rows that are there already."""

    rows: Tensor  # float [4 * mentions + places, hidden]: as head, as tail, before, after; places
    mentions: int
    values: Tensor  # float64 [pieces + 1, heads, hidden / heads], running sums
    weights: Tensor  # float64 [pieces + 1, heads], running sums


class RelationHead(nn.Module):
    """Scores of relations between asked pairs, of their modality, source, time and place.

    Everything that is linear is applied to pieces and mentions, of which there are few, and gathered
    for pairs, of which there are many.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.label = nn.Embedding(LABELS, width)
        self.head = nn.Linear(width, hidden)
        self.tail = nn.Linear(width, hidden, bias=False)
        self.context = nn.Linear(width, 3 * hidden, bias=False)
        self.weight = nn.Linear(width, 3 * CONTEXT_HEADS)
        self.gap = nn.Embedding(pairs.GAP_BUCKETS, hidden)
        self.nesting = nn.Embedding(pairs.NESTINGS, hidden)
        self.crowd = nn.Embedding(pairs.CROWDS, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.mix = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.relation = nn.Linear(hidden, RELATIONS)
        self.relation_label = nn.Embedding(RELATIONS, hidden)
        self.detail = nn.Linear(hidden, hidden)
        self.modality = nn.Linear(hidden, MODALITIES)
        self.pointers = nn.ModuleDict({k: PointerHead(width, hidden) for k in pairs.POINTERS})
        for embedding in (self.label, self.gap, self.nesting, self.crowd, self.relation_label):
            nn.init.normal_(embedding.weight, std=0.05)
        nn.init.constant_(self.relation.bias, -4.0)  # most asked pairs hold no relation

    def mentions(self, table: Tensor, inputs: MentionInputs) -> Tensor:
        """Vectors of mentions, float [mentions, width], from pieces float [pieces, width]."""
        vectors: Tensor = mean_of_ranges(table, inputs.own) + self.label(inputs.label)
        return vectors

    def contexts(self, table: Tensor) -> Tensor:
        """What pieces give to the stretches that they stand in, float [pieces, 3 * (heads + hidden)].

        Weights (their logarithms) of all stretches and heads first, values after them.
        """
        matrix, bias = self._contexts()
        return functional.linear(self.dropout(table), matrix, bias)

    def contexts_beside(self, vectors: Tensor, kinds: Tensor, kind: Tensor) -> Tensor:
        """The same in evaluation, from tables whose rows repeat in their last columns.

        ``vectors``: float [pieces, first columns]; ``kinds``: float [kinds, last columns], multiplied once
        each; ``kind``: int64 [pieces].
        """
        matrix, bias = self._contexts()
        first, last = matrix[:, : vectors.shape[1]], matrix[:, vectors.shape[1] :]
        return torch.addmm(functional.linear(kinds, last, bias)[kind], vectors, first.T)

    def _contexts(self) -> tuple[Tensor, Tensor]:
        """Weights and values as one linear map."""
        nothing = self.weight.bias.new_zeros(self.context.out_features)
        return torch.cat((self.weight.weight, self.context.weight)), torch.cat((self.weight.bias, nothing))

    def share(self, contexts: Tensor, mentions: Tensor, inputs: MentionInputs) -> Shared:
        """What is computed once for all pairs of these mentions.

        A stretch of text (before, between, after the two) is a weighted mean of its pieces: the weights
        say which pieces matter (verbs, say), one set for each of the heads. What stands before and after
        belongs to a mention. What stands between belongs to a pair: running sums of values and of weights
        give the mean of any stretch in constant time, in float64, so that differences keep float32's digits.
        """
        first, heads = 3 * CONTEXT_HEADS, (len(contexts), 3, CONTEXT_HEADS)
        weights = contexts[:, :first].float().clamp(-8.0, 8.0).exp().view(heads)
        size = self.context.out_features // first
        values = contexts[:, first:].float().view(*heads, size) * weights[..., None]
        mentions = self.dropout(mentions)
        place = (
            self.gap.weight[:, None, None]
            + self.nesting.weight[None, :, None]
            + self.crowd.weight[None, None]
        )
        rows = (
            self.head(mentions),
            self.tail(mentions),
            _mean_of_heads(values[:, 0], weights[:, 0], inputs.before),
            _mean_of_heads(values[:, 2], weights[:, 2], inputs.after),
            place.flatten(0, 2),
        )
        return Shared(
            torch.cat(rows), len(mentions), _running_sums(values[:, 1]), _running_sums(weights[:, 1])
        )

    def forward(self, shared: Shared, asked: PairInputs) -> tuple[Tensor, Tensor]:
        """Vectors of pairs, float [pairs, hidden], and relation scores, float [pairs, relations].

        A relation that the scheme does not allow between the two labels scores minus infinity.
        """
        columns = (asked.head, asked.tail, torch.minimum(asked.head, asked.tail), asked.later, asked.place)
        index = torch.stack([column + n * shared.mentions for n, column in enumerate(columns)], dim=1)
        mixed = functional.embedding_bag(index, shared.rows, mode="sum")
        mixed = mixed + _mean_between(shared.values, shared.weights, asked.between).to(mixed.dtype)
        hidden = functional.gelu(self.norm(mixed))
        hidden = hidden + functional.gelu(self.mix(self.dropout(hidden)))
        scores = self.relation(self.dropout(hidden))
        return hidden, scores.masked_fill(~asked.allowed, -torch.inf)

    def details(self, hidden: Tensor, relation: Tensor) -> Tensor:
        """Vectors of relations, float [relations, hidden], from those of their pairs and their labels."""
        joined = hidden + self.relation_label(relation)
        vectors: Tensor = functional.gelu(self.detail(self.dropout(joined)))
        return vectors


def _mean_of_heads(values: Tensor, weights: Tensor, ranges: Ranges) -> Tensor:
    """Weighted means of ranges, float [ranges, hidden]; an empty range says nothing: zeros.

    ``values``: float [pieces, heads, hidden / heads], weighted already; ``weights``: float [pieces, heads].
    """
    total = sum_of_ranges(values.flatten(1), ranges).view(-1, *values.shape[1:])
    weight = sum_of_ranges(weights, ranges).clamp(min=_LEAST_WEIGHT)
    mean: Tensor = (total / weight[..., None]).flatten(1)
    return mean


def _running_sums(table: Tensor) -> Tensor:
    """Sums of all rows before each row, and of all: float64 [rows + 1, ...]."""
    rows = functional.pad(table.flatten(1), (0, 0, 1, 0))
    if rows.device.type == "cpu":
        sums = rows.cumsum(0, dtype=torch.float64)
    else:  # along columns, one thread of a GPU would walk through all rows
        sums = rows.T.contiguous().cumsum(1, dtype=torch.float64).T
    return sums.reshape(-1, *table.shape[1:])


def _mean_between(values: Tensor, weights: Tensor, spans: Tensor) -> Tensor:
    """Weighted means of the pieces of spans, float64 [spans, hidden], from running sums; likewise."""
    first, last = spans[:, 0], spans[:, 1]
    weight = (weights[last] - weights[first]).clamp(min=_LEAST_WEIGHT)
    return ((values[last] - values[first]) / weight[..., None]).flatten(1)


class PointerHead(nn.Module):
    """Scores of the mentions that a relation may point at, and of pointing at none."""

    def __init__(self, width: int, hidden: int, size: int = 64) -> None:
        super().__init__()
        self.query = nn.Linear(hidden, size)
        self.key = nn.Linear(width, size)
        self.bucket = nn.Embedding(pairs.POINTER_BUCKETS, 1)
        self.none = nn.Linear(hidden, 1)
        nn.init.zeros_(self.bucket.weight)

    def forward(
        self, details: Tensor, mentions: Tensor, relation: Tensor, mention: Tensor, bucket: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Scores float [candidates], and of none float [relations].

        ``relation``, ``mention``, ``bucket``: int64 [candidates], as in pairs.Candidates.
        """
        query, key = self.query(details), self.key(mentions)
        scores = (query[relation] * key[mention]).sum(dim=1) / query.shape[1] ** 0.5
        return scores + self.bucket(bucket)[:, 0], self.none(details)[:, 0]


def pointer_log_probabilities(scores: Tensor, none: Tensor, relation: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of the candidates and of none: they sum to one within each relation."""
    scores, none = scores.float(), none.float()
    top = none.detach().clone()
    top.scatter_reduce_(0, relation, scores.detach(), reduce="amax")
    total = (none - top).exp().index_add(0, relation, (scores - top[relation]).exp())
    log_total = total.log() + top
    return scores - log_total[relation], none - log_total
