"""Optimizers, and the rate at each moment of a run."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from pipeline.pretraining.model import MaskedPieces
from pipeline.pretraining.settings import Schedule

_BETAS = (0.9, 0.98)


def level(progress: float, rise: float, fall: float) -> float:
    """The share of the full rate at a progress from 0 to 1: a rise, a level, a fall to nothing."""
    up = min(1.0, progress / rise) if rise else 1.0
    down = min(1.0, (1 - progress) / fall) if fall else 1.0
    return max(0.0, min(up, down))


def adamw(model: MaskedPieces, schedule: Schedule) -> list[Optimizer]:
    """AdamW for everything; matrices of layers decay."""
    matrices, others = _split(model)
    groups = [
        {"params": matrices, "weight_decay": schedule.decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return [AdamW(groups, lr=schedule.rate, betas=_BETAS, fused=True)]


def muon(model: MaskedPieces, schedule: Schedule) -> list[Optimizer]:
    """Muon for the matrices of layers, AdamW for the rest."""
    matrices, others = _split(model)
    return [
        torch.optim.Muon(
            matrices,
            lr=schedule.matrix_rate,
            weight_decay=schedule.decay,
            momentum=0.95,
            adjust_lr_fn="match_rms_adamw",
        ),
        AdamW(others, lr=schedule.rate, betas=_BETAS, weight_decay=0.0, fused=True),
    ]


OPTIMIZERS: dict[str, Callable[[MaskedPieces, Schedule], list[Optimizer]]] = {"adamw": adamw, "muon": muon}


def _split(model: MaskedPieces) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Matrices of the layers, and everything else."""
    embeddings = model.embeddings
    matrices = [weight for weight in model.parameters() if weight.ndim == 2 and weight is not embeddings]
    chosen = {id(weight) for weight in matrices}
    return matrices, [weight for weight in model.parameters() if id(weight) not in chosen]
