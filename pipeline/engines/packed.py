"""ModernBERT over windows laid end to end: no padding in any matrix product.

The weights are the library's, and so is the arithmetic, step by step; what differs is that pieces of all
windows stand in one table, and that only attention looks at one window at a time. A test holds it against
the library's own forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.engines import attention
from pipeline.engines.base import Windows
from pipeline.engines.layout import Batch, Layout
from pipeline.model import Specials

if TYPE_CHECKING:
    from transformers import ModernBertModel

    from pipeline.modernbert import ModernBert

Weights = tuple[Tensor, Tensor | None]  # of a linear map: matrix and bias


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer: norms as the library has them, matrices in the precision of the products."""

    kind: str
    attention_norm: nn.Module
    query_key_value: Weights
    attention_out: Weights
    norm: nn.Module
    inner: Weights
    out: Weights


class PackedForward:
    """Pieces and where they stand go to the device in one copy; vectors stay there, for the heads."""

    def __init__(
        self,
        encoder: ModernBertModel | ModernBert,
        specials: Specials,
        device: str,
        dtype: torch.dtype,
        *,
        compiled: bool = False,
    ) -> None:
        torch.nn.Module.to(encoder, device, torch.float32)
        self.encoder = encoder
        self.device = device
        self.dtype = dtype
        self.concurrent = device == "cpu"
        config: Any = encoder.config
        self.heads = int(config.num_attention_heads)
        self.attention = attention.best(device, dtype, config.hidden_size // self.heads)
        self.layout = Layout(specials, device, self.attention.wants_groups)
        # Windows in groups would be compiled anew for each way in which they fall into groups.
        self.compiled = compiled and not self.attention.wants_groups
        self.rotations = {kind: self._rotation(kind) for kind in set(config.layer_types)}
        layers: Any = encoder.layers
        self.layers = [
            _Layer(
                layer.attention_type,
                layer.attn_norm,
                self._paired(layer.attn.Wqkv),
                self._weights(layer.attn.Wo),
                layer.mlp_norm,
                self._weights(layer.mlp.Wi),
                self._weights(layer.mlp.Wo),
            )
            for layer in layers
        ]
        # Compiled, what stands between two products is one pass over the table instead of several.
        self._pass = torch.compile(self.vectors) if self.compiled else self.vectors

    def cost(self, lengths: Sequence[int]) -> int:
        """All pieces, special ones too, and the few rows that round them up."""
        return self.layout.rows(sum(lengths) + len(lengths) * self.layout.specials.around())

    @torch.inference_mode()
    def __call__(self, windows: Windows) -> Tensor:
        """Vectors float32 [pieces, width] of all windows, one after the other, on the device."""
        return self._pass(self.layout.lay_out(windows))

    def vectors(self, batch: Batch) -> Tensor:
        """Vectors float32 [own pieces, width]: nothing here waits for the device."""
        encoder: Any = self.encoder
        # What runs through the layers stays float32: in bfloat16, each layer would round it anew.
        vectors = encoder.embeddings.norm(encoder.embeddings.tok_embeddings(batch.ids))
        rotations = {kind: table[batch.positions] for kind, table in self.rotations.items()}
        for layer in self.layers:
            mixed = functional.linear(layer.attention_norm(vectors).to(self.dtype), *layer.query_key_value)
            seen = self.attention(self._turn(mixed, rotations[layer.kind]), batch).flatten(1)
            vectors = vectors + functional.linear(seen, *layer.attention_out)
            inner = functional.linear(layer.norm(vectors).to(self.dtype), *layer.inner)
            first, gate = inner.chunk(2, dim=-1)
            gated = functional.gelu(first.float()) * gate  # rounded once, when it is multiplied
            vectors = vectors + functional.linear(gated.to(self.dtype), *layer.out)
        rows: Tensor = encoder.final_norm(vectors)[batch.own]
        return rows

    def _turn(self, mixed: Tensor, rotation: Tensor) -> Tensor:
        """Queries and keys turned by their positions; [3, pieces, heads, width of a head]."""
        parts = mixed.view(len(mixed), 3, self.heads, -1).transpose(0, 1)
        asked = parts[:2].float().reshape(2, len(mixed), self.heads, -1, 2)
        if self.compiled:  # compilers know no complex numbers
            even, odd = asked.unbind(-1)
            cosine, sine = rotation.unbind(-1)
            turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
        else:
            turned = torch.view_as_real(torch.view_as_complex(asked) * rotation)
        return torch.cat((turned.flatten(-2).to(mixed.dtype), parts[2:]))

    def _rotation(self, kind: str) -> Tensor:
        """Turns by position, complex64 [positions, 1, half a head's width]; compiled, cosines and sines."""
        config: Any = self.encoder.config
        half = config.hidden_size // self.heads // 2
        base = config.rope_parameters[kind]["rope_theta"]
        rates = 1.0 / base ** (torch.arange(half, dtype=torch.float32) / half)
        angles = torch.arange(config.max_position_embeddings, dtype=torch.float32)[:, None] * rates
        turns = torch.polar(torch.ones_like(angles), angles)[:, None]
        return (torch.view_as_real(turns) if self.compiled else turns).to(self.device)

    def _weights(self, projection: nn.Linear) -> Weights:
        bias = None if projection.bias is None else projection.bias.detach().to(self.dtype)
        return projection.weight.detach().to(self.dtype), bias

    def _paired(self, projection: nn.Linear) -> Weights:
        """Weight and bias whose queries and keys have the two halves of each head side by side.

        A rotation turns feature n of the first half with feature n of the second. Side by side they are
        one complex number. Queries and keys are reordered alike, so that their products stay the same.
        """
        order = torch.arange(projection.out_features)
        both = 2 * projection.out_features // 3
        order[:both] = order[:both].view(2 * self.heads, 2, -1).transpose(1, 2).reshape(-1)
        matrix, bias = self._weights(projection)
        order = order.to(matrix.device)
        return matrix[order], None if bias is None else bias[order]
