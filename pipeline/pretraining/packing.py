"""Documents as rows of pieces without padding, and the order in which training reads the rows.

A row is [CLS], ``width - 2`` pieces of running text with [SEP] after each document, [SEP]: the shape
in which an encoder meets a window later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from pipeline.pretraining.tokenizer import END, START

Pieces = NDArray[np.uint16]
_DOCUMENTS_AT_ONCE = 512


def encode(tokenizer: Tokenizer, documents: Iterable[str]) -> Pieces:
    """The pieces of all documents in one line, uint16 [pieces], with [SEP] after each document."""
    end = np.array([tokenizer.token_to_id(END)], dtype=np.uint16)
    parts: list[Pieces] = []
    waiting = iter(documents)
    while some := list(islice(waiting, _DOCUMENTS_AT_ONCE)):
        for encoding in tokenizer.encode_batch_fast(some, add_special_tokens=False):
            parts.append(np.array(encoding.ids, dtype=np.uint16))
            parts.append(end)
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint16)


def rows(pieces: Pieces, width: int) -> Pieces:
    """Running text, uint16 [pieces], as uint16 [rows, width - 2]; what does not fill a row is left over."""
    inside = width - 2
    count = len(pieces) // inside
    return pieces[: count * inside].reshape(count, inside)


def framed(inner: Pieces, tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Rows as the encoder reads them: int64 [rows, width], from uint16 [rows, width - 2]."""
    ids = np.empty((inner.shape[0], inner.shape[1] + 2), dtype=np.int64)
    ids[:, 0] = tokenizer.token_to_id(START)
    ids[:, 1:-1] = inner
    ids[:, -1] = tokenizer.token_to_id(END)
    return ids


@dataclass(slots=True)
class Order:
    """Which row is read when: a pure function of the seed, so that a position is a single number.

    One round reads each source as many times as ``times`` says, all of it shuffled together; of a
    fraction, each round reads the next slice. Sizes and times are by source, in the same order as the
    rows stand in the table.
    """

    sizes: Mapping[str, int]
    times: Mapping[str, float]
    seed: int
    _round: int = field(default=-1, init=False)
    _rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64), init=False)

    def __post_init__(self) -> None:
        if self.length == 0:
            raise ValueError("no source fills a row; give more text or higher times")

    @property
    def length(self) -> int:
        """Rows in a round."""
        return sum(self._count(name) for name in self.sizes)

    def batch(self, step: int, size: int) -> NDArray[np.int64]:
        """The rows of a step, int64 [size]."""
        positions = np.arange(step * size, (step + 1) * size)
        return np.concatenate(
            [
                self._in_round(int(number))[positions[positions // self.length == number] % self.length]
                for number in np.unique(positions // self.length)
            ]
        )

    def _count(self, name: str) -> int:
        return round(self.sizes[name] * self.times[name])

    def _in_round(self, number: int) -> NDArray[np.int64]:
        if number != self._round:
            parts, before = [], 0
            for place, (name, size) in enumerate(self.sizes.items()):
                count = self._count(name)
                if count:
                    shuffled = np.random.default_rng([self.seed, place]).permutation(size)
                    slots = np.arange(number * count, (number + 1) * count) % size
                    parts.append(before + shuffled[slots])
                before += size
            mixed = np.concatenate(parts)
            self._rows = np.random.default_rng([self.seed, len(self.sizes), number]).permutation(mixed)
            self._round = number
        return self._rows
