"""The fast engine: windows of like length together, within a budget of pieces that adapts to the machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from threading import Lock

import torch
from torch import Tensor

from pipeline.engines import batching
from pipeline.engines.base import Forward, WindowError, Windows, is_out_of_memory
from pipeline.engines.budget import Budget


class BatchedEngine:
    """Batches for a forward pass; halves them where memory ends, and grows them again."""

    def __init__(
        self,
        forward: Forward,
        budget: Budget,
        description: Mapping[str, object],
        workers: int = 1,
        chunk: int = 8192,
    ) -> None:
        self.forward = forward
        self.budget = budget
        self.description = description
        self.workers = workers
        self.chunk = chunk
        self.spent = 0  # pieces that went through the encoder, padding included
        self._passing = nullcontext() if forward.concurrent else Lock()
        self._counting = Lock()

    def encode(self, windows: Windows) -> list[Tensor]:
        """Vectors float32 [pieces, width] of each window, in the order of the windows."""
        vectors: list[Tensor | None] = [None] * len(windows)
        order = batching.longest_first([len(window) for window in windows])
        lengths = [len(windows[position]) for position in order]
        start = 0
        while start < len(order):
            size = self.budget.pieces  # other workers change it meanwhile
            stop = batching.take(lengths, start, size, self.forward.cost)
            rows = self._run([windows[position] for position in order[start:stop]], size)
            if rows is None:
                if stop - start == 1:
                    raise WindowError(
                        f"no memory for a window of {lengths[start]} pieces alone; free some, or use a model "
                        "with shorter windows"
                    )
                with self._counting:
                    self.budget.halve(size, self.forward.cost(lengths[start:stop]))
                continue  # the same windows again, fewer at once
            for position, row in zip(order[start:stop], torch.split(rows, lengths[start:stop]), strict=True):
                vectors[position] = row
            start = stop
        return [vector for vector in vectors if vector is not None]  # none is left: all were served

    def describe(self) -> dict[str, object]:
        """What it runs on and how."""
        budget = {"pieces": self.budget.pieces, "out_of_memory": self.budget.halvings}
        return {**self.description, "workers": self.workers, **budget}

    def _run(self, windows: Windows, size: int) -> Tensor | None:
        """The vectors of a batch that was planned with so many pieces, or None where memory ended."""
        try:
            with self._passing:
                since = time.perf_counter()
                rows = self.forward(windows)
                if rows.device.type != "cpu":
                    torch.cuda.current_stream(rows.device).synchronize()  # or the time would be of the start
                seconds = time.perf_counter() - since
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            # The error holds the frames, and they the tensors: it is gone before the next try.
            return None
        cost = self.forward.cost([len(window) for window in windows])
        with self._counting:
            self.spent += cost
            self.budget.served(size, sum(map(len, windows)), cost, seconds)
        return rows
