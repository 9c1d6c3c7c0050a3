"""An encoder with a head that names hidden pieces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AutoModel, BertConfig, BertModel, ModernBertConfig, ModernBertModel, PreTrainedModel

from pipeline.pretraining.settings import Encoder
from pipeline.pretraining.tokenizer import END, PAD, SPECIAL, START
from pipeline.pretraining.vectors import Table

_HEAD_ROWS = 2048  # pieces whose scores over the whole vocabulary are in memory at once, when evaluating


@dataclass(frozen=True, slots=True)
class Question:
    """A batch with hidden pieces, on the device. Without candidates, every piece competes."""

    ids: Tensor  # int64 [rows, width]
    positions: Tensor  # int64 [hidden], into the flattened rows
    targets: Tensor  # int64 [hidden]
    candidates: Tensor | None = None  # int64 [candidates]
    log_chance: Tensor | None = None  # float32 [candidates]


class MaskedPieces(nn.Module):
    """Encoder, a dense layer, and scores by the encoder's own embeddings."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        width, vocabulary = encoder.config.hidden_size, encoder.config.vocab_size
        self.encoder = encoder
        self.dense = nn.Linear(width, width, bias=False)
        self.norm = nn.LayerNorm(width, bias=False)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    @property
    def embeddings(self) -> Tensor:
        """float32 [vocabulary, width]."""
        return cast(nn.Embedding, self.encoder.get_input_embeddings()).weight

    def forward(self, question: Question) -> Tensor:
        """The mean loss over the hidden pieces, float32 []."""
        hidden = self.hidden(question)
        if question.candidates is None or question.log_chance is None:
            scores = nn.functional.linear(hidden, self.embeddings, self.bias)
            return nn.functional.cross_entropy(scores.float(), question.targets)
        return self._sampled(hidden, question.targets, question.candidates, question.log_chance)

    def hidden(self, question: Question) -> Tensor:
        """What the head sees at the hidden places, [hidden, width]."""
        states = self.encoder(input_ids=question.ids).last_hidden_state
        chosen = states.reshape(-1, states.shape[-1]).index_select(0, question.positions)
        named: Tensor = self.norm(nn.functional.gelu(self.dense(chosen)))
        return named

    @torch.no_grad()
    def total(self, question: Question) -> float:
        """The loss over the hidden pieces among the whole vocabulary, added up."""
        hidden = self.hidden(question)
        total = 0.0
        for part, targets in zip(
            torch.split(hidden, _HEAD_ROWS), torch.split(question.targets, _HEAD_ROWS), strict=True
        ):
            scores = nn.functional.linear(part, self.embeddings, self.bias).float()
            total += float(nn.functional.cross_entropy(scores, targets, reduction="sum"))
        return total

    def _sampled(self, hidden: Tensor, targets: Tensor, candidates: Tensor, log_chance: Tensor) -> Tensor:
        """Softmax against drawn candidates; dividing by their chances keeps its denominator unbiased."""
        scores = nn.functional.linear(
            hidden, self.embeddings.index_select(0, candidates), self.bias.index_select(0, candidates)
        )
        right = (hidden * self.embeddings.index_select(0, targets)).sum(-1, dtype=torch.float32)
        right = right + self.bias.index_select(0, targets)
        scores = scores.float() - log_chance
        place = torch.searchsorted(candidates, targets).clamp_max(len(candidates) - 1)
        rows = (candidates[place] == targets).nonzero().squeeze(-1)
        scores = scores.index_put((rows, place[rows]), scores.new_tensor(float("-inf")))
        everything = torch.logaddexp(scores.logsumexp(-1), right)
        return (everything - right).mean()


def build(shape: Encoder, vocabulary: int, vectors: Table | None, scale: float) -> MaskedPieces:
    """A new encoder with its head; vectors are float32 [vocabulary, width], rows of length 1."""
    model = MaskedPieces(POSITIONS[shape.positions](shape, vocabulary))
    if vectors is not None:
        with torch.no_grad():
            model.embeddings.copy_(torch.from_numpy(vectors) * scale * shape.width**0.5)
            model.embeddings[SPECIAL.index(PAD)] = 0
    return model


def further(folder: str) -> MaskedPieces:
    """The encoder of a folder, in float32, with a fresh head."""
    return MaskedPieces(AutoModel.from_pretrained(folder, trust_remote_code=False, dtype=torch.float32))


def _rotary(shape: Encoder, vocabulary: int) -> PreTrainedModel:
    config = ModernBertConfig(
        **_common(shape, vocabulary),
        layer_types=["full_attention"] * shape.layers,
        bos_token_id=SPECIAL.index(START),
        cls_token_id=SPECIAL.index(START),
        eos_token_id=SPECIAL.index(END),
        sep_token_id=SPECIAL.index(END),
    )
    return ModernBertModel(config)


def _learned(shape: Encoder, vocabulary: int) -> PreTrainedModel:
    config = BertConfig(
        **_common(shape, vocabulary),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        type_vocab_size=1,
    )
    return BertModel(config, add_pooling_layer=False)


def _common(shape: Encoder, vocabulary: int) -> dict[str, Any]:
    """What both kinds of configuration call by the same names."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "max_position_embeddings": shape.length,
        "pad_token_id": SPECIAL.index(PAD),
    }


POSITIONS: dict[str, Callable[[Encoder, int], PreTrainedModel]] = {"rotary": _rotary, "learned": _learned}
