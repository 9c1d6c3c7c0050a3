"""The model: one encoder, and heads that read its output. It knows tensors, not documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from annotations import scheme
from annotations.schemes import LABELS, NESTED
from pipeline.heads import RelationHead, SchemeHeads, TagHead
from pipeline.settings import ModelSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from pipeline.modernbert import ModernBert


@dataclass(frozen=True, slots=True)
class Specials:
    """The piece ids that an encoder expects around and beside a window; None where it knows none."""

    pad: int
    before: int | None
    after: int | None
    mask: int | None = None

    def around(self) -> int:
        """How many pieces of a window's room they take."""
        return (self.before is not None) + (self.after is not None)


class Reader(nn.Module):
    """An encoder with heads for the outer tags, the inner tags, and relations."""

    def __init__(
        self, encoder: PreTrainedModel | ModernBert, settings: ModelSettings, specials: Specials
    ) -> None:
        super().__init__()
        width = int(encoder.config.hidden_size)
        labels = len(scheme.ENTITY_LABELS)
        self.encoder = encoder
        self.settings = settings
        self.specials = specials
        self.width = width
        self.outer = TagHead(width, labels, settings.dropout)
        self.inner = TagHead(width, labels, settings.dropout)
        # ELECTRA's embeddings are not as wide as its vectors.
        bare = cast(nn.Embedding, encoder.get_input_embeddings()).embedding_dim
        self.lexical = nn.LayerNorm(bare)
        self.relations = RelationHead(width + bare, settings.hidden, settings.dropout)
        self.foreign = nn.ModuleDict()  # heads of other schemes, by name: for training alone

    def learn_schemes(self, names: Iterable[str]) -> None:
        """Fresh tag heads for other schemes; they belong to no checkpoint."""
        for name in names:
            self.foreign[name] = SchemeHeads(
                self.width, len(LABELS[name]), self.settings.dropout, nested=name in NESTED
            )

    def scheme_heads(self, name: str) -> SchemeHeads:
        """The tag heads of another scheme, which the reader learns."""
        return cast(SchemeHeads, self.foreign[name])

    def heads(self) -> dict[str, nn.Module]:
        """All that a checkpoint keeps besides the encoder, by name."""
        return {
            "outer": self.outer,
            "inner": self.inner,
            "lexical": self.lexical,
            "relations": self.relations,
        }

    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Piece vectors float [rows, width of the batch, width], special pieces among them.

        ``ids``: int64 [rows, width of the batch]; ``mask``: bool, alike, False where padded.
        """
        output = self.encoder(input_ids=ids, attention_mask=mask.long())
        hidden: Tensor = output.last_hidden_state
        return hidden

    def beside_words(self, vectors: Tensor, ids: Tensor) -> Tensor:
        """What relations are read from: vectors in context beside those of the bare pieces.

        Float [pieces, width + width of the embeddings], from float [pieces, width] and int64 [pieces].
        Which verb stands between two names is plainer in the bare pieces, and it is all that a small
        encoder learns from little gold.
        """
        return torch.cat((vectors, self.lexical_vectors(ids, vectors.device)), dim=1)

    def lexical_vectors(self, ids: Tensor, device: torch.device | str = "cpu") -> Tensor:
        """What relations are read from, of bare pieces alone: float [pieces, width of the embeddings]."""
        table = cast(nn.Embedding, self.encoder.get_input_embeddings())
        vectors: Tensor = self.lexical(table(ids.to(table.weight.device)).float().to(device))
        return vectors


def pad(windows: Sequence[NDArray[np.int64]], specials: Specials) -> tuple[Tensor, Tensor]:
    """One batch of windows with their special pieces: ids int64 [rows, width], mask bool, alike."""
    before = [] if specials.before is None else [specials.before]
    after = [] if specials.after is None else [specials.after]
    width = max(len(window) for window in windows) + specials.around()
    ids = np.full((len(windows), width), specials.pad, dtype=np.int64)
    mask = np.zeros((len(windows), width), dtype=np.bool_)
    for row, window in enumerate(windows):
        length = len(window) + specials.around()
        ids[row, :length] = np.concatenate((before, window, after))
        mask[row, :length] = True
    return torch.from_numpy(ids), torch.from_numpy(mask)


def unpad(vectors: Tensor, lengths: Sequence[int], specials: Specials) -> list[Tensor]:
    """The vectors of each window's own pieces, float [pieces, width], specials and padding left out."""
    skip = int(specials.before is not None)
    return [vectors[row, skip : skip + length] for row, length in enumerate(lengths)]
