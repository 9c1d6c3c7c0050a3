"""Attention over windows that stand in one table: the fastest way that a device knows.

Each takes queries, keys and values [3, pieces, heads, width of a head], and gives [pieces, heads, width].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.engines.layout import Batch

Core = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


@dataclass(frozen=True, slots=True)
class Grouped:
    """Windows of like length as one batch after the other."""

    core: Core
    wants_groups = True

    def __call__(self, parts: Tensor, batch: Batch) -> Tensor:
        mixed = torch.zeros_like(parts[0])
        for group in batch.groups:
            rows = parts[:, group.pieces] if group.ragged is None else parts[:, group.ragged[0]]
            shape = (3, group.windows, group.length, *parts.shape[2:])
            query, key, value = rows.reshape(shape).transpose(2, 3)
            seen = self.core(query, key, value, None if group.ragged is None else group.ragged[1])
            seen = seen.transpose(1, 2).reshape(-1, *parts.shape[2:])
            mixed[group.pieces] = seen if group.ragged is None else seen[group.ragged[2]]
        return mixed


class Varlen:
    """All windows of all lengths at once: PyTorch's kernel for graphics processors."""

    wants_groups = False

    def __call__(self, parts: Tensor, batch: Batch) -> Tensor:
        from torch.nn.attention.varlen import varlen_attn

        borders = batch.borders.to(torch.int32)
        query, key, value = (part.contiguous() for part in parts)
        seen = varlen_attn(query, key, value, borders, borders, batch.longest, batch.longest)
        assert isinstance(seen, Tensor)  # a pair only where more is asked for
        return seen


def best(device: str, dtype: torch.dtype, width: int) -> Grouped | Varlen:
    """What is fastest for heads of a width. On processors, fused attention halves nothing in bfloat16."""
    if device == "cpu":
        return Grouped(products if dtype == torch.bfloat16 else fused)
    return Varlen() if dtype == torch.bfloat16 and _knows_varlen(device, width) else Grouped(fused)


def _knows_varlen(device: str, width: int) -> bool:
    """Whether PyTorch was built with the kernel, and the processor and the heads are such as it takes."""
    built = torch.backends.cuda.is_flash_attention_available()
    recent = torch.cuda.get_device_capability(device) >= (8, 0)
    return built and recent and width % 8 == 0 and width <= 256


def fused(query: Tensor, key: Tensor, value: Tensor, own: Tensor | None) -> Tensor:
    """PyTorch's own choice."""
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=own)


def products(query: Tensor, key: Tensor, value: Tensor, own: Tensor | None) -> Tensor:
    """Two products and a softmax."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if own is not None:
        scores = scores.masked_fill_(~own, -torch.inf)
    seen: Tensor = scores.softmax(dim=-1) @ value
    return seen
