"""Which pieces are hidden, and which pieces compete with the right one: pure functions of a generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.pretraining.tokenizer import SPECIAL

_REPLACED, _KEPT = 0.1, 0.1  # of the chosen pieces; the others become [MASK]


@dataclass(frozen=True, slots=True)
class Masked:
    """Rows with hidden pieces, and what was hidden."""

    ids: NDArray[np.int64]  # [rows, width]
    positions: NDArray[np.int64]  # [hidden], into the flattened rows, ascending
    targets: NDArray[np.int64]  # [hidden], the pieces that stood there


@dataclass(frozen=True, slots=True)
class Masking:
    """Hides whole words: a share of the words, each with all its pieces in the row."""

    share: float
    continues: NDArray[np.bool_]  # [vocabulary], whether a piece continues a word
    mask: int  # the id of [MASK]

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"a share of {self.share} cannot be hidden; give one between 0 and 1")

    def __call__(self, ids: NDArray[np.int64], random: np.random.Generator) -> Masked:
        """Hide pieces of int64 [rows, width]; special pieces never are. The rows are not written to."""
        starts = ~self.continues[ids]
        starts[:, 0] = True
        words = np.cumsum(starts.ravel()) - 1
        chosen = (random.random(words[-1] + 1) < self.share)[words] & (ids.ravel() >= len(SPECIAL))
        positions = np.flatnonzero(chosen)
        targets = ids.ravel()[positions]
        fate = random.random(len(positions))
        others = random.integers(len(SPECIAL), len(self.continues), len(positions))
        shown = np.where(fate < _KEPT, targets, np.where(fate < _KEPT + _REPLACED, others, self.mask))
        hidden = ids.ravel().copy()
        hidden[positions] = shown
        return Masked(hidden.reshape(ids.shape), positions, targets)

    def words(self, masked: Masked) -> int:
        """How many words are hidden."""
        return int((~self.continues[masked.targets]).sum())


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pieces that compete with the right one, each with the chance it had of being drawn."""

    ids: NDArray[np.int64]  # [candidates], ascending
    log_chance: NDArray[np.float32]  # [candidates]


def chances(counts: NDArray[np.int64], expected: int) -> NDArray[np.float32]:
    """The chance of each piece to compete, float32 [vocabulary], by the root of its count.

    They add up to ``expected`` candidates (all pieces, where there are no more). Frequent pieces
    always compete; a rare one seldom, and then counts for all the times it did not.
    """
    if expected >= len(counts):
        return np.ones(len(counts), dtype=np.float32)
    weight = np.sqrt(counts.astype(np.float64) + 1)
    low, high = 0.0, float(len(counts) / weight.min())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(1, middle * weight).sum() < expected else (low, middle)
    return np.minimum(1, high * weight).astype(np.float32)


def draw(chance: NDArray[np.float32], random: np.random.Generator) -> Candidates:
    """Each piece competes independently, with its own chance."""
    ids = np.flatnonzero(random.random(len(chance)) < chance)
    return Candidates(ids, np.log(chance[ids]))
