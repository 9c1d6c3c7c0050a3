"""Piece vectors of whole documents without an engine: the way that training and fitting take."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pipeline import windows
from pipeline.model import Reader, pad, unpad
from pipeline.pieces import PieceTable


def document_vectors(reader: Reader, tables: Sequence[PieceTable]) -> Tensor:
    """Vectors of all pieces of all documents, float [pieces, width], all windows in one batch."""
    device = next(reader.parameters()).device
    lengths = [len(table) for table in tables]
    cuts = windows.cut_all(lengths, reader.settings.window, reader.settings.overlap)
    if not cuts:
        return torch.zeros(0, reader.width, device=device)
    ids, mask = pad(windows.slices(cuts, [table.ids for table in tables]), reader.specials)
    output = reader.encode(ids.to(device), mask.to(device)).float()
    rows = unpad(output, [len(cut) for cut in cuts], reader.specials)
    return torch.cat(windows.stitch(cuts, rows, lengths, reader.width))
