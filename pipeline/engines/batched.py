"""The fast engine: windows of like length together, within a budget of pieces, on CPU or GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.engines import batching
from pipeline.model import Reader, pad, unpad


class BatchedEngine:
    def __init__(self, reader: Reader, device: str, pieces: int) -> None:
        self.reader = reader
        self.device = device
        self.pieces = pieces

    @torch.inference_mode()
    def encode(self, windows: Sequence[NDArray[np.int64]]) -> list[Tensor]:
        """Vectors float32 [pieces, width] of each window, in the order of the windows."""
        vectors: list[Tensor | None] = [None] * len(windows)
        specials = self.reader.specials
        lengths = [len(window) + specials.around() for window in windows]
        for batch in batching.plan(lengths, self.pieces):
            ids, mask = pad([windows[position] for position in batch], specials)
            output = self.reader.encode(ids.to(self.device), mask.to(self.device))
            output = output.float().cpu()
            rows = unpad(output, [len(windows[position]) for position in batch], specials)
            for position, row in zip(batch, rows, strict=True):
                vectors[position] = row
        return [vector for vector in vectors if vector is not None]
