"""Mentions to tags and tag scores to mentions. BIO, decoded under constraints: never invalid. Pure.

The tags of a layer with k labels are numbered O = 0, B of label i = 1 + 2i, I of label i = 2 + 2i.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Span = tuple[int, int, int, float]  # first unit, one past the last, number of the label, score


def tag_count(labels: int) -> int:
    """How many tags a layer with so many labels has."""
    return 1 + 2 * labels


def encode(spans: Sequence[tuple[int, int, int]], length: int) -> Integers:
    """Tags of ``length`` units, int64 [length]; spans are (first, one past the last, label) and apart."""
    tags = np.zeros(length, dtype=np.int64)
    for first, last, label in spans:
        tags[first] = 1 + 2 * label
        tags[first + 1 : last] = 2 + 2 * label
    return tags


def spans_of(tags: Integers) -> list[tuple[int, int, int]]:
    """The spans of a valid tag sequence. An I that continues nothing is no span: decoding never gives one."""
    spans = []
    begins = np.flatnonzero(tags % 2 == 1)
    for first in begins.tolist():
        label = int(tags[first] - 1) // 2
        last = first + 1
        while last < len(tags) and tags[last] == 2 + 2 * label:
            last += 1
        spans.append((first, last, label))
    return spans


def decode(scores: Sequence[Floats]) -> list[list[Span]]:
    """The best valid tagging of each row, as spans with scores.

    ``scores``: log-probabilities, float32 [units, tags], one array a row. All rows are decoded together,
    one step a unit; rows are sorted by length so that a finished row costs nothing.
    """
    filled = [row for row in range(len(scores)) if len(scores[row])]
    order = sorted(filled, key=lambda row: -len(scores[row]))
    found: list[list[Span]] = [[] for _ in scores]
    for start in range(0, len(order), 256):
        rows = order[start : start + 256]
        for row, tags in zip(rows, _viterbi([scores[row] for row in rows]), strict=True):
            found[row] = [_scored(span, tags, scores[row]) for span in spans_of(tags)]
    return found


def _scored(span: tuple[int, int, int], tags: Integers, scores: Floats) -> Span:
    first, last, label = span
    units = np.arange(first, last)
    # The geometric mean of the tags' probabilities: long mentions are not punished for length.
    return first, last, label, float(np.exp(scores[units, tags[first:last]].mean()))


def _viterbi(rows: Sequence[Floats]) -> list[Integers]:
    """The best valid path of each row; rows come longest first.

    The only forbidden step leads into the I of a label from anything but the B or the I of that label,
    so that each tag has two rivals at most: no [tags, tags] table is needed.
    """
    count, tags = len(rows), rows[0].shape[1]
    lengths = np.array([len(row) for row in rows])
    best = np.full((count, tags), -np.inf, dtype=np.float32)
    best[:, :] = np.stack([row[0] for row in rows])
    best[:, 2::2] = -np.inf
    back: list[NDArray[np.int16]] = []  # by step: of the rows that reach it
    for step in range(1, len(rows[0])):
        active = int(np.searchsorted(-lengths, -step, side="left"))
        here = best[:active]
        winner = here.argmax(axis=1)
        top = here[np.arange(active), winner]
        into = np.repeat(top[:, None], tags, axis=1)
        origin = np.repeat(winner[:, None], tags, axis=1).astype(np.int16)
        from_b, from_i = here[:, 1::2], here[:, 2::2]
        labels = np.arange(from_b.shape[1])
        origin[:, 2::2] = np.where(from_i > from_b, 2 + 2 * labels, 1 + 2 * labels)
        back.append(origin)
        into[:, 2::2] = np.maximum(from_b, from_i)
        best[:active] = into + np.stack([row[step] for row in rows[:active]])
    paths = []
    for row, length in enumerate(lengths.tolist()):
        path = np.zeros(length, dtype=np.int64)
        path[-1] = best[row].argmax()
        for step in range(length - 1, 0, -1):
            path[step - 1] = back[step - 1][row, path[step]]
        paths.append(path)
    return paths
