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


def mean_of_ranges(table: Tensor, flat: Tensor, offsets: Tensor) -> Tensor:
    """The mean row of each range, float [ranges, width]; zeros for an empty one.

    ``flat``: int64, the rows of all ranges one after the other; ``offsets``: int64 [ranges], where
    each range starts in it. Exact whatever else is in the table, unlike differences of running sums.
    """
    return functional.embedding_bag(flat, table, offsets, mode="mean")


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
class PairInputs:
    """The pairs of a batch of documents; mentions point into one table of all their pieces."""

    mention_flat: Tensor  # int64, pieces of all mentions
    mention_offsets: Tensor  # int64 [mentions]
    mention_label: Tensor  # int64 [mentions]
    head: Tensor  # int64 [pairs]
    tail: Tensor  # int64 [pairs]
    allowed: Tensor  # bool [pairs, relations]
    gap: Tensor  # int64 [pairs]; nesting and crowd alike
    nesting: Tensor
    crowd: Tensor
    context: Tensor  # int64 [pairs, 3, 2], pieces

    def __len__(self) -> int:
        return len(self.head)


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

    def mentions(self, table: Tensor, inputs: PairInputs) -> Tensor:
        """Vectors of mentions, float [mentions, width], from pieces float [pieces, width]."""
        means = mean_of_ranges(table, inputs.mention_flat, inputs.mention_offsets)
        vectors: Tensor = means + self.label(inputs.mention_label)
        return vectors

    def forward(self, table: Tensor, mentions: Tensor, inputs: PairInputs) -> tuple[Tensor, Tensor]:
        """Vectors of pairs, float [pairs, hidden], and relation scores, float [pairs, relations].

        A relation that the scheme does not allow between the two labels scores minus infinity.
        """
        mentions = self.dropout(mentions)
        mixed = self.head(mentions)[inputs.head] + self.tail(mentions)[inputs.tail]
        mixed = mixed + self._contexts(table, inputs.context)
        mixed = mixed + self.gap(inputs.gap) + self.nesting(inputs.nesting) + self.crowd(inputs.crowd)
        hidden = functional.gelu(self.norm(mixed))
        hidden = hidden + functional.gelu(self.mix(self.dropout(hidden)))
        scores = self.relation(self.dropout(hidden))
        return hidden, scores.masked_fill(~inputs.allowed, -torch.inf)

    def _contexts(self, table: Tensor, spans: Tensor) -> Tensor:
        """What stands before, between and after the two, float [pairs, hidden].

        A weighted mean of the pieces of each stretch: the weights say which pieces matter (verbs, say),
        one set for each of the heads. Running sums of values and of weights give the mean of any stretch
        in constant time; in float64 a difference of two of them is exact to float32.
        """
        dropped = self.dropout(table)
        values = self.context(dropped).double().unflatten(1, (3, CONTEXT_HEADS, -1))
        weights = self.weight(dropped).double().clamp(-8.0, 8.0).exp().unflatten(1, (3, CONTEXT_HEADS, 1))
        value_sums = _running_sums(values * weights)
        weight_sums = _running_sums(weights)
        total = table.new_zeros(len(spans), values.shape[2] * values.shape[3])
        for number in range(3):
            first, last = spans[:, number, 0], spans[:, number, 1]
            weighted = value_sums[last, number] - value_sums[first, number]
            weight = weight_sums[last, number] - weight_sums[first, number]
            # An empty stretch has no weight, and says nothing.
            mean = weighted / weight.clamp(min=1e-6)
            total = total + mean.flatten(1).to(table.dtype)
        return total

    def details(self, hidden: Tensor, relation: Tensor) -> Tensor:
        """Vectors of relations, float [relations, hidden], from those of their pairs and their labels."""
        joined = hidden + self.relation_label(relation)
        vectors: Tensor = functional.gelu(self.detail(self.dropout(joined)))
        return vectors


def _running_sums(table: Tensor) -> Tensor:
    """Sums of all rows before each row, and of all: [rows + 1, ...]."""
    return torch.cat((table.new_zeros(1, *table.shape[1:]), table.cumsum(dim=0)))


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
