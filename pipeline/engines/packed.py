"""ModernBERT over windows laid end to end: no padding in any matrix product.

The weights are the library's, and so is the arithmetic, step by step; what differs is that pieces of all
windows stand in one table, and that only attention looks at one window at a time. A test holds it against
the library's own forward pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pipeline.engines.base import Windows
from pipeline.model import Specials

if TYPE_CHECKING:
    from transformers import ModernBertModel

    from pipeline.modernbert import ModernBert


_ROWS = 128  # of a product: a multiple of it, on processors
_LENGTHS = 16  # of windows in attention, likewise
_TOGETHER = 1024  # pieces whose attention is computed together: as much as a processor's cache holds


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


@dataclass(frozen=True, slots=True)
class _Together:
    """Windows of like length whose attention is computed together: a stretch of the table of pieces."""

    pieces: slice
    windows: int
    length: int  # of the longest, rounded up
    # Where windows are shorter or missing, or None: the rows of the table, int64 [windows * length], which of
    # them may be looked at, bool [windows, 1, 1, length], and the places of the stretch's pieces among them.
    ragged: tuple[Tensor, Tensor, Tensor] | None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Where the windows stand in the table of pieces."""

    positions: Tensor  # int64 [pieces], within the window
    groups: list[_Together]


class PackedForward:
    """Pieces and where they stand go to the device, vectors come back once; no padding of windows.

    Processors compile a product anew for each number of rows, and keep what they compiled: on them, numbers
    of rows and the shapes of attention repeat, or memory would grow with the variety of lengths.
    """

    def __init__(
        self, encoder: ModernBertModel | ModernBert, specials: Specials, device: str, dtype: torch.dtype
    ) -> None:
        torch.nn.Module.to(encoder, device, torch.float32)
        self.encoder = encoder
        self.specials = specials
        self.device = device
        self.dtype = dtype
        self.on_processor = self.concurrent = device == "cpu"
        self.multiple = _ROWS if self.on_processor else 1
        config: Any = encoder.config
        self.heads = int(config.num_attention_heads)
        # On processors, PyTorch's fused attention computes bfloat16 no faster than float32; products do.
        self.attention = _products if device == "cpu" and dtype == torch.bfloat16 else _fused
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

    def cost(self, lengths: Sequence[int]) -> int:
        """All pieces, special ones too, and the few rows that round them up."""
        pieces = sum(lengths) + len(lengths) * self.specials.around()
        return -(-pieces // self.multiple) * self.multiple

    @torch.inference_mode()
    def __call__(self, windows: Windows) -> Tensor:
        """Vectors float32 [pieces, width] of all windows, one after the other."""
        ids, own, batch = self._lay_out(windows)
        encoder: Any = self.encoder
        # What runs through the layers stays float32: in bfloat16, each layer would round it anew.
        vectors = encoder.embeddings.norm(encoder.embeddings.tok_embeddings(ids.to(self.device)))
        rotations = {kind: table[batch.positions] for kind, table in self.rotations.items()}
        for layer in self.layers:
            mixed = functional.linear(layer.attention_norm(vectors).to(self.dtype), *layer.query_key_value)
            seen = self._attend(self._turn(mixed, rotations[layer.kind]), batch)
            vectors = vectors + functional.linear(seen, *layer.attention_out)
            inner = functional.linear(layer.norm(vectors).to(self.dtype), *layer.inner)
            first, gate = inner.chunk(2, dim=-1)
            gated = functional.gelu(first.float()) * gate  # rounded once, when it is multiplied
            vectors = vectors + functional.linear(gated.to(self.dtype), *layer.out)
        rows: Tensor = encoder.final_norm(vectors)[own.to(self.device)]
        return rows.cpu()

    def _lay_out(self, windows: Windows) -> tuple[Tensor, Tensor, _Batch]:
        """Pieces int64 [pieces] with the special ones, which of them are the windows' own, and where."""
        before = [] if self.specials.before is None else [self.specials.before]
        after = [] if self.specials.after is None else [self.specials.after]
        lengths = [len(window) + self.specials.around() for window in windows]
        ids = np.concatenate([part for window in windows for part in (before, window, after)])
        own = np.ones(len(ids), dtype=np.bool_)
        ends = np.cumsum(lengths)
        if before:
            own[ends - lengths] = False
        if after:
            own[ends - 1] = False
        positions = np.arange(len(ids)) - np.repeat(ends - lengths, lengths)
        more = -len(ids) % self.multiple
        ids = np.pad(ids.astype(np.int64), (0, more), constant_values=self.specials.pad)
        own, positions = np.pad(own, (0, more)), np.pad(positions, (0, more))
        batch = _Batch(torch.from_numpy(positions).to(self.device), self._groups(np.array(lengths)))
        return torch.from_numpy(ids), torch.from_numpy(own), batch

    def _groups(self, lengths: NDArray[np.int64]) -> list[_Together]:
        """Windows whose attention is computed together, in order of the table."""
        starts = np.cumsum(lengths) - lengths
        groups = []
        rounded = -(-lengths // _LENGTHS) * _LENGTHS
        for length, run in groupby(range(len(lengths)), key=lambda number: int(rounded[number])):
            numbers = list(run)
            size = max(1, _TOGETHER // length) if self.on_processor else len(numbers)
            groups += [
                self._together(starts[numbers[n : n + size]], lengths[numbers[n : n + size]], length, size)
                for n in range(0, len(numbers), size)
            ]
        return groups

    def _together(
        self, starts: NDArray[np.int64], lengths: NDArray[np.int64], length: int, size: int
    ) -> _Together:
        pieces = slice(int(starts[0]), int(starts[-1] + lengths[-1]))
        if len(lengths) == size and bool((lengths == length).all()):
            return _Together(pieces, size, length, None)
        own = np.zeros((size, length), dtype=np.bool_)
        own[: len(lengths)] = np.arange(length) < lengths[:, None]
        rows = np.zeros((size, length), dtype=np.int64)
        rows[own] = np.arange(pieces.start, pieces.stop)
        places = np.flatnonzero(own)
        own[len(lengths) :, 0] = True  # a window that is missing looks at something, to stay a number
        index, seen, kept = (torch.from_numpy(part).to(self.device) for part in (rows, own, places))
        return _Together(pieces, size, length, (index.flatten(), seen[:, None, None], kept))

    def _turn(self, mixed: Tensor, rotation: Tensor) -> Tensor:
        """Queries and keys turned by their positions; [3, pieces, heads, width of a head]."""
        parts = mixed.view(len(mixed), 3, self.heads, -1).transpose(0, 1)
        asked = torch.view_as_complex(parts[:2].float().reshape(2, len(mixed), self.heads, -1, 2))
        turned = torch.view_as_real(asked * rotation).flatten(-2)
        return torch.cat((turned.to(mixed.dtype), parts[2:]))

    def _attend(self, parts: Tensor, batch: _Batch) -> Tensor:
        """Attention within each window: [pieces, heads * width of a head]."""
        mixed = torch.zeros_like(parts[0])
        for group in batch.groups:
            rows = parts[:, group.pieces] if group.ragged is None else parts[:, group.ragged[0]]
            shape = (3, group.windows, group.length, *parts.shape[2:])
            query, key, value = rows.reshape(shape).transpose(2, 3)
            seen = self.attention(query, key, value, None if group.ragged is None else group.ragged[1])
            seen = seen.transpose(1, 2).reshape(-1, *parts.shape[2:])
            mixed[group.pieces] = seen if group.ragged is None else seen[group.ragged[2]]
        return mixed.flatten(1)

    def _rotation(self, kind: str) -> Tensor:
        """Turns by position, complex64 [positions, 1, half a head's width]."""
        config: Any = self.encoder.config
        half = config.hidden_size // self.heads // 2
        base = config.rope_parameters[kind]["rope_theta"]
        rates = 1.0 / base ** (torch.arange(half, dtype=torch.float32) / half)
        angles = torch.arange(config.max_position_embeddings, dtype=torch.float32)[:, None] * rates
        return torch.polar(torch.ones_like(angles), angles).to(self.device)[:, None]

    def _weights(self, projection: nn.Linear) -> Weights:
        bias = None if projection.bias is None else projection.bias.to(self.dtype)
        return projection.weight.to(self.dtype), bias

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


def _fused(query: Tensor, key: Tensor, value: Tensor, own: Tensor | None) -> Tensor:
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=own)


def _products(query: Tensor, key: Tensor, value: Tensor, own: Tensor | None) -> Tensor:
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if own is not None:
        scores = scores.masked_fill_(~own, -torch.inf)
    seen: Tensor = scores.softmax(dim=-1) @ value
    return seen
