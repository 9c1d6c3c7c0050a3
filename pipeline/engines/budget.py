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
    halvings: int = 0
    _most: int = field(init=False)
    _good: int = 0
    _speeds: dict[int, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = self.memory.recall() if self.memory and self.candidates else None
        if known is not None and known in self.candidates:
            self.pieces, self.candidates = known, ()
        elif self.candidates:
            self.pieces = self.candidates[0]
        self._most = self.pieces

    def halve(self, failed: int) -> None:
        """After an out-of-memory error of a batch that took so many pieces."""
        self.candidates = ()  # what does not fit is not fast
        self._most = max(self._most, self.pieces)
        self.pieces = max(1, min(self.pieces, failed) // 2)
        self.halvings += 1
        self._good = 0

    def served(self, pieces: int, seconds: float) -> None:
        """After a good batch: go on trying, or grow back to what once did not fit."""
        if self.candidates:
            self._judge(pieces, seconds)
        elif self.pieces < self._most:
            self._good += 1
            if self._good >= _GROWS_AFTER:
                self.pieces, self._good = min(2 * self.pieces, self._most), 0

    def _judge(self, pieces: int, seconds: float) -> None:
        if pieces < _FILLED * self.pieces:
            return
        self._speeds.setdefault(self.pieces, []).append(pieces / max(seconds, 1e-9))
        tried = sum(map(len, self._speeds.values()))
        if tried < _ROUNDS * len(self.candidates):
            self.pieces = self.candidates[tried % len(self.candidates)]
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
        partial = self._path().with_suffix(f".{os.getpid()}.partial")
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
            partial.replace(self._path())
        except OSError:
            return

    def _all(self) -> dict[str, object]:
        try:
            content = json.loads(self._path().read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _path(self) -> Path:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depesche" / "batches.json"
