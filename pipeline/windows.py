"""Long documents into windows, and the vectors of the windows back into one table. Pure.

Windows overlap for context, but each piece is owned by exactly one: nothing is voted on, nothing is
cut, and a mention across a border is decoded like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """A slice of a document's pieces, and the part of it whose vectors are kept."""

    document: int
    start: int
    end: int
    own_start: int
    own_end: int

    def __len__(self) -> int:
        return self.end - self.start


def cut(length: int, size: int, overlap: int, document: int = 0) -> list[Window]:
    """Windows of at most ``size`` pieces over a document; neighbours share ``overlap`` pieces.

    Every piece is owned by one window, and stands at least half an overlap from a cut border of it.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap {overlap} with windows of {size}: expected 0 <= overlap < size")
    if length <= size:
        return [Window(document, 0, length, 0, length)] if length else []
    step = size - overlap
    starts = [*range(0, length - size, step), length - size]  # the last window is full, too
    windows = []
    own_start = 0
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        end = start + size
        own_end = length if following is None else (following + end) // 2
        windows.append(Window(document, start, end, own_start, own_end))
        own_start = own_end
    return windows


def cut_all(lengths: Sequence[int], size: int, overlap: int) -> list[Window]:
    """The windows of all documents, in order."""
    return [w for number, n in enumerate(lengths) for w in cut(n, size, overlap, number)]


def slices(windows: Sequence[Window], ids: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """The piece ids of each window."""
    return [ids[window.document][window.start : window.end] for window in windows]


def stitch(windows: Sequence[Window], vectors: Sequence[torch.Tensor], width: int) -> torch.Tensor:
    """The pieces of all documents in one table, float [pieces, width], from what each window owns.

    The windows come in the order of ``cut_all``.
    """
    if not windows:
        return torch.zeros(0, width)
    parts = zip(windows, vectors, strict=True)
    return torch.cat([table[one.own_start - one.start : one.own_end - one.start] for one, table in parts])
