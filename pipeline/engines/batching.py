"""The plan: lengths in, lists of positions out. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def plan(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Positions in batches whose padded size, rows times longest, is at most ``budget`` pieces.

    Longest first: an out-of-memory error comes at once. Every position stands in exactly one batch;
    a single row longer than the budget gets a batch of its own.
    """
    batches: list[list[int]] = []
    longest = 0
    for position in sorted(range(len(lengths)), key=lambda p: (-lengths[p], p)):
        if not batches or (len(batches[-1]) + 1) * longest > budget:
            batches.append([])
            longest = lengths[position]
        batches[-1].append(position)
    return batches
