"""How many pieces a batch holds: tried out on the first batches, halved where memory ends, grown again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_GROWS_AFTER = 16  # batches without an error
_ROUNDS = 3  # batches by which each candidate is judged
_FILLED = 0.5  # a batch this much smaller than the budget says nothing about it


@dataclass
class Budget:
    """Pieces in a batch. With candidates, the first batches find out which of them is fastest."""

    pieces: int
    candidates: Sequence[int] = ()
    memory: Memory | None = None  # where the winner is remembered
    halvings: int = field(default=0, init=False)
    _most: int = field(init=False)
    _good: int = field(default=0, init=False)
    _speeds: dict[int, list[float]] = field(default_factory=dict, init=False)
    _failed: dict[int, int] = field(default_factory=dict, init=False)  # times, by size
    _unfilled: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.pieces < 1 or any(size < 1 for size in self.candidates):
            raise ValueError(f"a batch of {self.pieces} pieces: expected at least 1")
        known = self.memory.recall() if self.memory and self.candidates else None
        if known is not None and known in self.candidates:
            self.pieces, self.candidates = known, ()
        elif self.candidates:
            self.pieces = self.candidates[0]
        self._most = self.pieces

    def halve(self, size: int, cost: int) -> None:
        """After an out-of-memory error of a batch planned with ``size`` pieces, which took ``cost``."""
        self.halvings += 1
        if cost > self.pieces:
            return  # another worker's batch has failed alike meanwhile: smaller ones are still to be tried
        self._failed[size] = self._failed.get(size, 0) + 1
        self._good = 0
        self.pieces = max(1, min(size, cost) // 2)
        if self.candidates:
            self._forget([one for one in self.candidates if one < cost])
        elif self._failed[size] > 1:
            self._most = self.pieces  # it was no passing want: do not grow back there

    def served(self, size: int, pieces: int, cost: int, seconds: float) -> None:
        """After a good batch planned with ``size``, of so many pieces; with all that pads them, ``cost``."""
        if size in self.candidates:
            self._judge(size, pieces / max(seconds, 1e-9), cost)
        elif self.pieces < self._most:
            self._good += 1
            if self._good >= _GROWS_AFTER:
                self.pieces, self._good = min(2 * self.pieces, self._most), 0

    def _judge(self, tried: int, speed: float, cost: int) -> None:
        if cost < _FILLED * tried:
            self._unfilled += 1
            if self._unfilled >= _ROUNDS * len(self.candidates):
                # There is never so much to do at once: what is larger cannot be told apart.
                self._unfilled = 0
                self._forget([one for one in self.candidates if one < tried])
            return
        self._speeds.setdefault(tried, []).append(speed)
        self._next()

    def _forget(self, left: Sequence[int]) -> None:
        """Go on with some of the candidates."""
        self._speeds = {size: speeds for size, speeds in self._speeds.items() if size in left}
        self.candidates = tuple(left)
        if self.candidates:
            self._next()
        else:
            self._most = self.pieces

    def _next(self) -> None:
        waiting = [size for size in self.candidates if len(self._speeds.get(size, ())) < _ROUNDS]
        if waiting:
            self.pieces = min(waiting, key=lambda size: len(self._speeds.get(size, ())))
            return
        # The best of its rounds: whatever else ran on the machine only ever slowed one down.
        self.pieces = self._most = max(self._speeds, key=lambda size: max(self._speeds[size]))
        self.candidates = ()
        if self.memory:
            self.memory.keep(self.pieces)


@dataclass(frozen=True, slots=True)
class Memory:
    """What was found out on this machine, by what it depends on: a small file in the user's cache."""

    key: str

    def recall(self) -> int | None:
        """The budget that won the last time; None where there was none, or the file is not to be read."""
        found = self._all().get(self.key)
        return found if isinstance(found, int) else None

    def keep(self, pieces: int) -> None:
        """Remember a winner. A cache that cannot be written is no error."""
        content = {**self._all(), self.key: pieces}
        try:
            partial = _cache().with_suffix(f".{os.getpid()}.partial")
            partial.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            partial.replace(_cache())
        except (OSError, RuntimeError):
            return

    def _all(self) -> dict[str, object]:
        try:
            content = json.loads(_cache().read_text(encoding="utf-8"))
        except (OSError, RuntimeError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _cache() -> Path:
    """Raises RuntimeError for a user without a home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depesche" / "batches.json"
