"""How sure a score is: intervals that resample documents, tests that swap them, and a correction for many.

A table is an int array [documents, 4]: hits, spurious, missed, halves of each document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.counts import Counts

Table = NDArray[np.int64]  # [documents, 4]
FEW = 5  # documents; with so few, an interval between documents would say more than it knows
MINIMUM_SUPPORT = 10  # gold items; with fewer, a score is shown without an interval or a rank


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the score lies in 95 of 100 such corpora, and what was resampled to know it."""

    low: float
    high: float
    method: str  # "between documents" or "within documents"
    deviation: float = 0.0  # standard deviation of the resampled scores


def table_of(counts: Sequence[Counts]) -> Table:
    """One row a document."""
    rows = [(c.hits, c.spurious, c.missed, c.halves) for c in counts]
    return np.array(rows, dtype=np.int64).reshape(len(rows), 4)


def f1(sums: NDArray[Any]) -> NDArray[np.float64]:
    """F1 of summed counts [..., 4]; 0.0 where there is nothing."""
    hits, spurious, missed, halves = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    whole = 2 * hits + spurious + missed + 2 * halves
    score = np.divide(2 * hits + halves, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.asarray(score, dtype=np.float64)


def intervals(tables: Sequence[Table], resamples: int = 2000, seed: int = 0) -> list[Interval]:
    """A 95 % interval of F1 for each table; all tables have the same documents.

    Between documents where there are more than FEW: documents are drawn with replacement, and the
    percentiles are widened as Student's t widens the normal. Else within: each document keeps its size,
    and its items are drawn anew.
    """
    if not tables:
        return []
    rng = np.random.default_rng(seed)
    documents = len(tables[0])
    if documents > FEW:
        sums = _between(np.concatenate(tables, axis=1), rng, resamples).reshape(resamples, -1, 4)
        tail, method = _widened(documents), "between documents"
    else:
        sums = np.stack([_within(table, rng, resamples) for table in tables], axis=1)
        tail, method = 0.025, "within documents"
    scores = f1(sums)  # [resamples, tables]
    low, high = np.quantile(scores, [tail, 1 - tail], axis=0)
    spread = scores.std(axis=0, ddof=1)
    return [Interval(float(a), float(b), method, float(s)) for a, b, s in zip(low, high, spread, strict=True)]


def _widened(documents: int) -> float:
    """The share to leave out at each end: percentiles alone are too narrow by sqrt((n - 1) / n), and by t."""
    from scipy.special import ndtr, stdtrit

    quantile = stdtrit(documents - 1, 0.025) * np.sqrt(documents / (documents - 1))
    return float(ndtr(quantile))


def _between(flat: NDArray[np.int64], rng: np.random.Generator, resamples: int) -> NDArray[np.float64]:
    """Sums of resampled documents: [documents, columns] → [resamples, columns], a block at a time."""
    documents = len(flat)
    even = np.full(documents, 1 / documents)
    block = max(1, 4_000_000 // documents)  # so that the weights stay within some 32 MB
    sizes = [min(block, resamples - done) for done in range(0, resamples, block)]
    columns = flat.astype(np.float64)
    drawn = (rng.multinomial(documents, even, size=size).astype(np.float64) @ columns for size in sizes)
    return np.concatenate(list(drawn))


def _within(table: Table, rng: np.random.Generator, resamples: int) -> NDArray[np.int64]:
    sizes = table.sum(axis=1)  # [documents]
    shares = table / np.maximum(sizes, 1)[:, None]
    shares[sizes == 0] = (1.0, 0.0, 0.0, 0.0)
    drawn = rng.multinomial(sizes, shares, size=(resamples, len(table)))  # [resamples, documents, 4]
    return np.asarray(drawn.sum(axis=1), dtype=np.int64)


def permutation_test(first: Table, second: Table, permutations: int = 10_000, seed: int = 0) -> float:
    """Probability of so large a difference in F1 if it did not matter which run a document came from.

    Two-sided; documents are swapped between the two runs. Exact where all swaps can be tried.
    """
    documents = len(first)
    if documents != len(second):
        raise ValueError(f"the runs have {documents} and {len(second)} documents; expected the same ones")
    changed = np.flatnonzero((first != second).any(axis=1))
    if not len(changed):
        return 1.0
    exact = len(changed) <= 12
    if exact:
        numbers = np.arange(2 ** len(changed))
        swaps = (numbers[:, None] >> np.arange(len(changed))) & 1
    else:
        rng = np.random.default_rng(seed)
        swaps = rng.integers(0, 2, size=(permutations, len(changed)))
    moved = swaps.astype(np.float64) @ (second - first)[changed].astype(np.float64)  # [swaps, 4]
    ours, theirs = first.sum(axis=0), second.sum(axis=0)
    observed = abs(float(f1(ours) - f1(theirs)))
    differences = np.abs(f1(ours + moved) - f1(theirs - moved))
    extreme = int((differences >= observed - 1e-12).sum())
    return extreme / len(swaps) if exact else (extreme + 1) / (permutations + 1)


def holm(probabilities: Sequence[float]) -> list[float]:
    """The probabilities corrected for how many were asked: Holm's step-down, in the order given."""
    order = sorted(range(len(probabilities)), key=lambda i: probabilities[i])
    corrected = [0.0] * len(probabilities)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * probabilities[index]))
        corrected[index] = highest
    return corrected
