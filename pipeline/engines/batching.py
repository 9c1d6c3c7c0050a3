"""The plan: which windows share a batch. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Cost = Callable[[Sequence[int]], int]  # lengths, longest first, to pieces


def longest_first(lengths: Sequence[int]) -> list[int]:
    """Positions by length, longest first: an out-of-memory error comes at once, and batches are even."""
    return sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))


def take(lengths: Sequence[int], start: int, budget: int, cost: Cost) -> int:
    """One past the last window of the batch that begins at ``start``; lengths come longest first.

    The batch costs at most ``budget`` pieces; a single window that costs more gets a batch of its own.
    """
    low, high = start + 1, len(lengths)
    while low < high:
        middle = (low + high + 1) // 2
        if cost(lengths[start:middle]) <= budget:
            low = middle
        else:
            high = middle - 1
    return low
