"""The slow twin: one window at a time, float32. Every other engine is held against it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.model import Reader, pad, unpad


class ReferenceEngine:
    workers = 1
    chunk = 8192

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    @torch.inference_mode()
    def encode(self, windows: Sequence[NDArray[np.int64]]) -> list[Tensor]:
        """Vectors float32 [pieces, width] of each window."""
        vectors = []
        for window in windows:
            ids, mask = pad([window], self.reader.specials)
            vectors += unpad(self.reader.encode(ids, mask), [len(window)], self.reader.specials)
        return vectors

    def describe(self) -> dict[str, object]:
        """What it runs on and how."""
        return {"engine": "reference", "device": "cpu", "dtype": "float32"}
