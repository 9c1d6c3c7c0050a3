"""Piece vectors of whole documents without an engine: the way that training and fitting take."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline import windows
from pipeline.model import Reader, pad, unpad
from pipeline.pieces import PieceTable


def document_vectors(reader: Reader, tables: Sequence[PieceTable], hidden: float = 0.0) -> Tensor:
    """Vectors of all pieces of all documents, float [pieces, width], all windows in one batch.

    ``hidden``: the share of pieces, drawn anew at each call, that are replaced by the mask.
    """
    device = next(reader.parameters()).device
    lengths = [len(table) for table in tables]
    cuts = windows.cut_all(lengths, reader.settings.window, reader.settings.overlap)
    if not cuts:
        return torch.zeros(0, reader.width, device=device)
    ids, mask = pad(windows.slices(cuts, [table.ids for table in tables]), reader.specials)
    if hidden and reader.specials.mask is not None:
        drawn = (torch.rand(ids.shape) < hidden) & _own(mask, reader)
        ids = ids.masked_fill(drawn, reader.specials.mask)
    output = reader.encode(ids.to(device), mask.to(device)).float()
    rows = unpad(output, [len(cut) for cut in cuts], reader.specials)
    return windows.stitch(cuts, rows, reader.width)


def _own(mask: Tensor, reader: Reader) -> Tensor:
    """Where a piece of the document stands: neither padding nor a special piece. Bool, like the mask."""
    own = mask.clone()
    if reader.specials.before is not None:
        own[:, 0] = False
    if reader.specials.after is not None:
        own[torch.arange(len(mask)), mask.sum(dim=1) - 1] = False
    return own
