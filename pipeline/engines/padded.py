"""Any encoder of the library over a padded batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline.engines.base import Windows
from pipeline.model import Reader, pad


class PaddedForward:
    """Pieces and mask go to the device, vectors come back once; padding costs what a piece costs."""

    def __init__(self, reader: Reader, device: str) -> None:
        self.reader = reader
        self.device = device

    def cost(self, lengths: Sequence[int]) -> int:
        """Rows times the longest of them."""
        return len(lengths) * (lengths[0] + self.reader.specials.around())

    @torch.inference_mode()
    def __call__(self, windows: Windows) -> Tensor:
        """Vectors float32 [pieces, width] of all windows, one after the other."""
        specials = self.reader.specials
        ids, mask = pad(windows, specials)
        output = self.reader.encode(ids.to(self.device), mask.to(self.device))
        columns = torch.arange(ids.shape[1]) - int(specials.before is not None)
        lengths = torch.tensor([len(window) for window in windows])
        own = ((columns >= 0) & (columns < lengths[:, None])).to(self.device)
        return output[own].float().cpu()
