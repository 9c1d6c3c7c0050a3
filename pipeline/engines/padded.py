"""Any encoder of the library over a padded batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.engines.base import Windows
from pipeline.model import Reader, Specials, pad, unpad


def area(lengths: Sequence[int], specials: Specials) -> int:
    """What windows of these lengths, longest first, cost when padded: rows times the longest of them."""
    return len(lengths) * (lengths[0] + specials.around())


class PaddedForward:
    """Pieces and mask go to the device, vectors stay there; padding costs what a piece costs."""

    concurrent = False

    def __init__(self, reader: Reader, device: str) -> None:
        self.reader = reader
        self.device = device

    def cost(self, lengths: Sequence[int]) -> int:
        """Rows times the longest of them."""
        return area(lengths, self.reader.specials)

    @torch.inference_mode()
    def __call__(self, windows: Windows) -> Tensor:
        """Vectors float32 [pieces, width] of all windows, one after the other, on the device."""
        specials = self.reader.specials
        ids, mask = pad(windows, specials)
        output = self.reader.encode(ids.to(self.device), mask.to(self.device))
        return torch.cat(unpad(output, [len(window) for window in windows], specials)).float()
