"""Windows laid end to end in one table of pieces, and where each of them stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.engines.base import Windows
from pipeline.model import Specials

_ROWS = 128  # of a product: a multiple of it, on processors
_LENGTHS = 16  # of windows in attention, likewise
_TOGETHER = 1024  # pieces whose attention is computed together: as much as a processor's cache holds


@dataclass(frozen=True, slots=True)
class Together:
    """Windows of like length whose attention is computed together: a stretch of the table of pieces."""

    pieces: slice
    windows: int
    length: int  # of the longest, rounded up
    # Where windows are shorter or missing, or None: the rows of the table, int64 [windows * length], which of
    # them may be looked at, bool [windows, 1, 1, length], and the places of the stretch's pieces among them.
    ragged: tuple[Tensor, Tensor, Tensor] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as tensors of one device."""

    ids: Tensor  # int64 [pieces], special ones among them
    positions: Tensor  # int64 [pieces], within the window
    own: Tensor  # int64, the rows that are the windows' own pieces
    borders: Tensor  # int64 [windows + 1], the rows where windows begin, and the end of the last
    longest: int
    groups: tuple[Together, ...]  # for attention that wants them, else none


@dataclass(frozen=True, slots=True)
class Layout:
    """How a forward pass wants its windows laid out.

    Processors compile a product anew for each number of rows, and keep what they compiled: on them, numbers
    of rows and the shapes of attention repeat, or memory would grow with the variety of lengths.
    """

    specials: Specials
    device: str
    grouped: bool  # whether attention wants windows of like length together

    @property
    def on_processor(self) -> bool:
        """Whether shapes have to repeat."""
        return self.device == "cpu"

    def rows(self, pieces: int) -> int:
        """The rows of a table for so many pieces."""
        return -(-pieces // _ROWS) * _ROWS if self.on_processor else pieces

    def lay_out(self, windows: Windows) -> Batch:
        """The windows on the device, longest first as they come."""
        before = [] if self.specials.before is None else [self.specials.before]
        after = [] if self.specials.after is None else [self.specials.after]
        lengths = np.array([len(window) + self.specials.around() for window in windows])
        ids = np.concatenate([part for window in windows for part in (before, window, after)])
        borders = np.concatenate(([0], np.cumsum(lengths)))
        own = np.ones(len(ids), dtype=np.bool_)
        if before:
            own[borders[:-1]] = False
        if after:
            own[borders[1:] - 1] = False
        positions = np.arange(len(ids)) - np.repeat(borders[:-1], lengths)
        more = self.rows(len(ids)) - len(ids)
        ids = np.pad(ids.astype(np.int64), (0, more), constant_values=self.specials.pad)
        columns = (ids, np.pad(positions, (0, more)), np.flatnonzero(own), borders)
        groups = self._groups(lengths) if self.grouped else ()
        ids_there, positions_there, own_there, borders_there = self._moved(columns)
        return Batch(ids_there, positions_there, own_there, borders_there, int(lengths.max()), groups)

    def _moved(self, columns: Sequence[NDArray[np.int64]]) -> tuple[Tensor, ...]:
        """The columns on the device, in one copy that nothing waits for."""
        if self.on_processor:
            return tuple(torch.from_numpy(column) for column in columns)
        table = torch.from_numpy(np.concatenate(columns)).pin_memory().to(self.device, non_blocking=True)
        return torch.split(table, [len(column) for column in columns])

    def _groups(self, lengths: NDArray[np.int64]) -> tuple[Together, ...]:
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
        return tuple(groups)

    def _together(
        self, starts: NDArray[np.int64], lengths: NDArray[np.int64], length: int, size: int
    ) -> Together:
        pieces = slice(int(starts[0]), int(starts[-1] + lengths[-1]))
        if len(lengths) == size and bool((lengths == length).all()):
            return Together(pieces, size, length, None)
        own = np.zeros((size, length), dtype=np.bool_)
        own[: len(lengths)] = np.arange(length) < lengths[:, None]
        rows = np.zeros((size, length), dtype=np.int64)
        rows[own] = np.arange(pieces.start, pieces.stop)
        places = np.flatnonzero(own)
        own[len(lengths) :, 0] = True  # a window that is missing looks at something, to stay a number
        index, seen, kept = (torch.from_numpy(part).to(self.device) for part in (rows, own, places))
        return Together(pieces, size, length, (index.flatten(), seen[:, None, None], kept))
