"""The joint loss of a batch of documents: tags, relations, modality, source, time, place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from annotations.schemes import OWN
from pipeline import assemble, decoding, pairs, relating
from pipeline.encoding import document_vectors
from pipeline.examples import NO_TARGET, NONE, Example, relation_targets
from pipeline.heads import TagHead, pointer_log_probabilities
from pipeline.model import Reader
from pipeline.settings import LossWeights


class JointLoss(nn.Module):
    """A reader with its losses, as one module: what accelerate wraps for several devices.

    ``schemes``: how much the loss of each scheme counts, by name; 1 where it is not named.
    """

    def __init__(
        self,
        reader: Reader,
        weights: LossWeights,
        hidden: float = 0.0,
        schemes: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        self.reader = reader
        self.weights = weights
        self.schemes = dict(schemes or {})

    def forward(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """The loss of each question of ours, of each other scheme, and their weighted sum as ``total``.

        Each scheme's documents are read apart and judged by its own heads: what one scheme does not
        annotate is no negative of another, and sentences are not padded to the length of articles.
        """
        losses: dict[str, Tensor] = {}
        parts: list[Tensor] = []
        for name, group in by_scheme(examples).items():
            vectors = document_vectors(self.reader, [example.table for example in group], self.hidden)
            if name == OWN:
                losses |= self._own(vectors, group)
                loss = losses["total"]
            else:
                loss = losses[name] = self._foreign(name, vectors, group)
            parts.append(self.schemes.get(name, 1.0) * loss)
        losses["total"] = torch.stack(parts).sum()
        return losses

    def _foreign(self, name: str, vectors: Tensor, examples: Sequence[Example]) -> Tensor:
        heads, weights = self.reader.scheme_heads(name), self.weights
        loss = weights.outer * _outer(heads.outer, vectors, examples)
        if heads.inner is None:
            return loss
        return loss + weights.inner * _inner(heads.inner, vectors, examples)

    def _own(self, vectors: Tensor, examples: Sequence[Example]) -> dict[str, Tensor]:
        reader, weights = self.reader, self.weights
        losses = {
            "outer": _outer(reader.outer, vectors, examples),
            "inner": _inner(reader.inner, vectors, examples),
        }
        losses |= self._relations(vectors, examples)
        losses["total"] = (
            weights.outer * losses["outer"]
            + weights.inner * losses["inner"]
            + weights.relation * losses["relation"]
            + weights.modality * losses["modality"]
            + weights.pointer * losses["pointer"]
        )
        return losses

    def _relations(self, vectors: Tensor, examples: Sequence[Example]) -> dict[str, Tensor]:
        head = self.reader.relations
        table, asked = joined(examples)
        zero = vectors.sum() * 0.0
        if not len(asked):
            return {"relation": zero, "modality": zero, "pointer": zero}
        ids = relating.piece_ids([example.table for example in examples])
        mentions, hidden, scores = relating.score_pairs(self.reader, vectors, ids, table, asked)
        targets = _tensor([relation_targets(example) for example in examples], vectors)
        allowed = torch.from_numpy(asked.allowed).to(vectors.device)
        cells = functional.binary_cross_entropy_with_logits(
            scores[allowed], targets[allowed], reduction="sum"
        )
        losses = {"relation": cells / len(asked), "modality": zero, "pointer": zero}
        shifts = assemble.shifts([len(example.pairs) for example in examples])
        pair = np.concatenate([e.gold.pair + shift for e, shift in zip(examples, shifts, strict=True)])
        if len(pair):
            details = head.details(
                hidden[torch.from_numpy(pair).to(vectors.device)],
                _tensor([e.gold.label for e in examples], vectors),
            )
            modality = _tensor([example.gold.modality for example in examples], vectors)
            losses["modality"] = functional.cross_entropy(head.modality(details), modality)
            ends = (asked.head[pair], asked.tail[pair])
            losses["pointer"] = self._pointers(details, mentions, examples, (table, *ends))
        return losses

    def _pointers(
        self,
        details: Tensor,
        mentions: Tensor,
        examples: Sequence[Example],
        relations: tuple[pairs.MentionTable, NDArray[np.int64], NDArray[np.int64]],
    ) -> Tensor:
        """Mean negative log-probability of the gold source, time and place, or of none.

        ``relations``: the joined mentions, and the heads and tails of the gold relations among them.
        """
        losses = []
        shifts = assemble.shifts([len(example.mentions) for example in examples])
        labels = np.concatenate([example.gold.label for example in examples])
        for kind in pairs.POINTERS:
            chosen = np.concatenate(
                [
                    np.where(e.gold.pointers[kind] >= 0, e.gold.pointers[kind] + shift, e.gold.pointers[kind])
                    for e, shift in zip(examples, shifts, strict=True)
                ]
            )
            found = pairs.candidates(*relations, kind)
            kept = chosen != NO_TARGET
            if kind != "source":
                kept &= pairs.BETWEEN_ACTORS[labels]
            target = (chosen[found.relation] == found.mention) & kept[found.relation]
            columns = (found.relation, found.mention, found.bucket)
            relation, mention, bucket = (torch.from_numpy(column).to(details.device) for column in columns)
            pointer = self.reader.relations.pointers[kind]
            scores, none = pointer(details, mentions, relation, mention, bucket)
            scores, none = pointer_log_probabilities(scores, none, relation)
            right = torch.from_numpy(target).to(details.device)
            nothing = torch.from_numpy(kept & (chosen == NONE)).to(details.device)
            log_likelihood = scores[right].sum() + none[nothing].sum()
            losses.append(-log_likelihood / max(int(kept.sum()), 1))
        return torch.stack(losses).mean()


def joined(examples: Sequence[Example]) -> tuple[pairs.MentionTable, pairs.Pairs]:
    """The gold mentions and the asked pairs of a batch, numbered through."""
    lengths = [len(example.table) for example in examples]
    mentions = [len(example.mentions) for example in examples]
    return (
        assemble.join_mentions([example.mentions for example in examples], lengths),
        assemble.join_pairs([example.pairs for example in examples], mentions, lengths),
    )


def by_scheme(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Examples by the scheme of their labels, in order of its first."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.scheme, []).append(example)
    return groups


def _outer(head: TagHead, vectors: Tensor, examples: Sequence[Example]) -> Tensor:
    scores = decoding.word_scores(head, vectors, [example.table for example in examples])
    return _cross_entropy(scores, _tensor([example.outer for example in examples], vectors))


def _inner(head: TagHead, vectors: Tensor, examples: Sequence[Example]) -> Tensor:
    starts = assemble.shifts([len(example.table) for example in examples])
    pieces = [example.inner_pieces + s for example, s in zip(examples, starts, strict=True)]
    scores = head(vectors[_tensor(pieces, vectors)])
    return _cross_entropy(scores, _tensor([example.inner for example in examples], vectors))


def _tensor(parts: Sequence[NDArray[Any]], like: Tensor) -> Tensor:
    return torch.from_numpy(np.concatenate(parts)).to(like.device)


def _cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    if not len(targets):
        return scores.sum() * 0.0
    return functional.cross_entropy(scores.float(), targets)
