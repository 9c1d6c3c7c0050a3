"""The interface of an engine: windows in, vectors out, in the order of the windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Windows = Sequence[NDArray[np.int64]]


class Engine(Protocol):
    """Sorting, padding and precision are an engine's private matter; order and content are not."""

    workers: int  # as many threads may call encode at a time, and should
    chunk: int  # about so many pieces of the input should be read together

    def encode(self, windows: Windows) -> list[Tensor]:
        """The vectors of each window's pieces, float32 [pieces, width], in the order of the windows.

        On the device of the reader's heads.

        Raises WindowError where there is no memory for a single window.
        """
        ...

    def describe(self) -> dict[str, object]:
        """What it runs on and how, for the manifest of a run."""
        ...


class WindowError(MemoryError):
    """A window that does not fit into memory alone: its document is set aside."""


_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ended: CUDA and the processor raise plain RuntimeErrors, too."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(words in said for words in _NO_MEMORY)


class Forward(Protocol):
    """Runs an encoder over a batch of windows."""

    concurrent: bool  # whether several threads may call it at a time

    def cost(self, lengths: Sequence[int]) -> int:
        """How many pieces a batch of windows of these lengths, longest first, takes, padding included."""
        ...

    def __call__(self, windows: Windows) -> Tensor:
        """The vectors of the pieces of all windows, one after the other, float32 [pieces, width].

        The windows come longest first. On a GPU, the vectors may still be under way.
        """
        ...
