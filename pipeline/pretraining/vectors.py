"""Vectors of pieces from co-occurrence counts: what the embeddings start from.

Positive pointwise mutual information between a piece and the frequent pieces to its left and to its
right (counted apart), factored by a randomised singular value decomposition.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.pretraining.packing import Pieces
from pipeline.pretraining.tokenizer import SPECIAL

Table = NDArray[np.float32]
_AT_ONCE = 1_000_000  # pieces
_SMOOTHING = 0.75  # of context counts: rare contexts would else look too telling


def cooccurrences(texts: Iterable[Pieces], vocabulary: int, contexts: int, reach: int) -> Table:
    """How often each piece stands near each context, nearer counting more.

    float32 [vocabulary, 2 * contexts]. Contexts are the most frequent pieces, to the left in the first
    half of the columns, to the right in the second; special pieces are none.
    """
    texts = list(texts)
    counts = sum((np.bincount(text, minlength=vocabulary) for text in texts), np.zeros(vocabulary, np.int64))
    counts[: len(SPECIAL)] = -1
    contexts = min(contexts, vocabulary - len(SPECIAL))
    column = np.full(vocabulary, -1, dtype=np.int64)
    column[np.argsort(-counts, kind="stable")[:contexts]] = np.arange(contexts)
    table = np.zeros((vocabulary, 2 * contexts), dtype=np.float32)
    flat = table.reshape(-1)
    for text in texts:
        for start in range(0, len(text), _AT_ONCE):
            part = text[start : start + _AT_ONCE + reach].astype(np.int64)
            columns = column[part]
            for distance in range(1, min(reach, len(part) - 1) + 1):
                first = slice(min(_AT_ONCE, len(part) - distance))
                second = slice(distance, first.stop + distance)
                weight = np.float32(1 / distance)
                right = np.where(columns[second] >= 0, columns[second] + contexts, -1)
                _count(flat, part[second], columns[first], 2 * contexts, weight)
                _count(flat, part[first], right, 2 * contexts, weight)
    table[: len(SPECIAL)] = 0
    return table


def positive_information(table: Table) -> Table:
    """Counts to positive pointwise mutual information, in place: float32 of the same shape."""
    of_piece = table.sum(axis=1, dtype=np.float64)
    of_context = table.sum(axis=0, dtype=np.float64) ** _SMOOTHING
    of_context /= max(of_context.sum(), 1e-12)
    with np.errstate(divide="ignore"):
        log_piece = np.log(of_piece).astype(np.float32)
        log_context = np.log(of_context).astype(np.float32)
    for row in np.flatnonzero(of_piece > 0):
        seen = table[row] > 0
        values = np.log(table[row, seen]) - log_piece[row] - log_context[seen]
        table[row, seen] = np.maximum(values, 0)
    return table


def factored(table: Table, width: int, random: np.random.Generator) -> Table:
    """The leading directions of a table, float32 [rows, width], each weighted by the root of its size."""
    extra = min(width + 32, *table.shape)
    basis = table @ random.standard_normal((table.shape[1], extra), dtype=np.float32)
    for _ in range(3):
        basis, _r = np.linalg.qr(basis)
        basis = table @ (table.T @ basis)
    basis, _r = np.linalg.qr(basis)
    left, sizes, _right = np.linalg.svd(basis.T @ table, full_matrices=False)
    vectors: Table = (basis @ left)[:, :width] * np.sqrt(sizes[:width])
    return np.pad(vectors, ((0, 0), (0, width - vectors.shape[1]))).astype(np.float32)


def static_vectors(
    texts: Iterable[Pieces], shape: tuple[int, int], contexts: int, reach: int, seed: int
) -> Table:
    """A vector for each piece, float32 of the given shape [vocabulary, width], each of length 1.

    A piece that was never seen gets a random one.
    """
    random = np.random.default_rng(seed)
    table = positive_information(cooccurrences(texts, shape[0], contexts, reach))
    vectors = factored(table, shape[1], random)
    unseen = np.linalg.norm(vectors, axis=1) < 1e-6
    vectors[unseen] = random.standard_normal((int(unseen.sum()), shape[1]))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _count(
    flat: Table, pieces: NDArray[np.int64], columns: NDArray[np.int64], width: int, weight: np.float32
) -> None:
    known = columns >= 0
    np.add.at(flat, pieces[known] * width + columns[known], weight)
