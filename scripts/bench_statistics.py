"""Do the intervals hold what they promise? ``python scripts/bench_statistics.py [CORPORA] [PAIRS]``.

Simulates corpora whose true F1 is known and counts how often the interval holds it, then pairs of runs that
are equally good and counts how often the test says otherwise. One JSON line each.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from eval.significance import Table, f1, intervals, permutation_test

SIZES = (20, 50, 200)


def documents(rng: np.random.Generator, count: int) -> tuple[Table, NDArray[np.float64]]:
    """Counts of documents of unequal length and difficulty, and the difficulty of each."""
    lengths = rng.negative_binomial(4, 0.08, size=count) + 5  # gold items, 5 to about 120
    skill = rng.beta(7, 3, size=count)  # recall and precision go up and down together
    hits = rng.binomial(lengths, skill)
    spurious = rng.poisson(lengths * (1 - skill) * 0.8)
    table = np.stack([hits, spurious, lengths - hits, np.zeros_like(hits)], axis=1)
    return table.astype(np.int64), skill


def truth() -> float:
    """F1 of an endless corpus."""
    table, _ = documents(np.random.default_rng(1), 2_000_000)
    return float(f1(table.sum(axis=0)))


def coverage(corpora: int) -> Iterator[dict[str, float]]:
    """Share of 95 % intervals that hold the true F1, by number of documents."""
    true = truth()
    for size in SIZES:
        rng = np.random.default_rng(size)
        inside = 0
        for number in range(corpora):
            table, _ = documents(rng, size)
            found = intervals([table], resamples=1000, seed=number)[0]
            inside += found.low <= true <= found.high
        yield {"documents": size, "corpora": corpora, "coverage": inside / corpora}


def false_positives(pairs: int, size: int = 40) -> dict[str, float]:
    """Share of equally good pairs of runs that the test at 0.05 tells apart."""
    rng = np.random.default_rng(7)
    wrong = 0
    for number in range(pairs):
        first, skill = documents(rng, size)
        lengths = first[:, 0] + first[:, 2]
        hits = rng.binomial(lengths, skill)
        spurious = rng.poisson(lengths * (1 - skill) * 0.8)
        second = np.stack([hits, spurious, lengths - hits, np.zeros_like(hits)], axis=1).astype(np.int64)
        wrong += permutation_test(first, second, permutations=1000, seed=number) < 0.05
    return {"pairs": pairs, "documents": size, "false_positives": wrong / pairs}


def main() -> None:
    """Print the figures."""
    corpora, pairs = (int(text) for text in (*sys.argv[1:], "1000", "2000")[:2])
    started = time.perf_counter()
    rows = itertools.chain(coverage(corpora), (false_positives(n) for n in (pairs,)))
    for row in rows:
        print(json.dumps({**row, "seconds": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
