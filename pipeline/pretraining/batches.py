"""Batches of hidden pieces: each a pure function of the seed and the step, so that a run resumes exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.pretraining import masking, packing
from pipeline.pretraining.masking import Candidates, Masked, Masking
from pipeline.pretraining.packing import Order, Pieces
from pipeline.pretraining.prepare import Prepared
from pipeline.pretraining.settings import Pretrain
from pipeline.pretraining.tokenizer import MASK, SPECIAL, continuations

_EVALUATION = 2**40  # a step that no training reaches


@dataclass(frozen=True, slots=True)
class Batches:
    """Training batches by step, and the fixed questions of the evaluation."""

    prepared: Prepared
    table: Pieces  # uint16 [rows, width - 2], of all sources
    order: Order
    mask: Masking
    chance: NDArray[np.float32]  # [vocabulary], to compete
    rows: int
    seed: int

    def at(self, step: int) -> tuple[Masked, Candidates | None]:
        """The batch of a step; without candidates, all pieces compete."""
        random = np.random.default_rng([self.seed, 1, step])
        ids = packing.framed(self.table[self.order.batch(step, self.rows)], self.prepared.tokenizer)
        masked = self.mask(ids, random)
        return masked, None if self.chance.min() >= 1 else masking.draw(self.chance, random)

    def evaluation(self, rows: int) -> dict[str, list[Masked]]:
        """Held-out batches by source, from at most ``rows`` rows spread over its held-out text."""
        random = np.random.default_rng([self.seed, 1, _EVALUATION])
        found = {}
        for name, pieces in self.prepared.held_out.items():
            inner = packing.rows(pieces, self.table.shape[1] + 2)
            if len(inner):
                spread = np.linspace(0, len(inner) - 1, min(rows, len(inner))).astype(np.int64)
                ids = packing.framed(inner[spread], self.prepared.tokenizer)
                parts = [ids[start : start + self.rows] for start in range(0, len(ids), self.rows)]
                found[name] = [self.mask(part, random) for part in parts]
        return found


def build(settings: Pretrain, prepared: Prepared) -> Batches:
    """Lay out the text of all sources in rows. Raises ValueError where no source fills one."""
    objective = settings.objective
    tables: Mapping[str, Pieces] = {
        name: packing.rows(pieces, objective.width) for name, pieces in prepared.train.items()
    }
    sizes = {name: len(table) for name, table in tables.items()}
    size = prepared.tokenizer.get_vocab_size()
    counts = np.zeros(size, dtype=np.int64)
    for pieces in prepared.train.values():
        counts += np.bincount(pieces, minlength=size)
    return Batches(
        prepared,
        np.concatenate(list(tables.values())),
        Order(sizes, settings.sources, settings.seed),
        Masking(
            objective.hidden,
            np.array(continuations(prepared.tokenizer)),
            SPECIAL.index(MASK),
        ),
        masking.chances(counts, objective.candidates or size),
        objective.rows,
        settings.seed,
    )
