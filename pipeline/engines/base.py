"""The interface of an engine: windows in, vectors out, in the order of the windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Engine(Protocol):
    """Sorting, padding and precision are an engine's private matter; order and content are not."""

    def encode(self, windows: Sequence[NDArray[np.int64]]) -> list[Tensor]:
        """The vectors of each window's pieces, float32 [pieces, width], in the order of the windows."""
        ...
