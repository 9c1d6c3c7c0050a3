"""Jobs on several threads, and their results in the order of the jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Job(Generic[Result]):
    """Something to do. Alone, it has all threads, and nothing else is at work meanwhile."""

    run: Callable[[], Result]
    alone: bool = False


def in_order(jobs: Iterable[Job[Result]], workers: int, threads: int) -> Iterator[Result]:
    """The results of the jobs, in order; so many jobs at a time, each on its share of ``threads``.

    A worker with one thread of its own waits for no other at the end of each product, and what a job does
    outside products is done beside another one's. Jobs are taken from the iterator as they are needed: at
    most one more than there are workers are begun and not given out. What a job raises is raised here.
    """
    share = max(1, threads // workers)
    waiting: deque[Future[Result]] = deque()
    try:
        with ThreadPoolExecutor(workers, "reader", _take_threads, (share,)) as pool:
            try:
                for job in jobs:
                    while waiting and (job.alone or len(waiting) > workers or waiting[0].done()):
                        yield waiting.popleft().result()
                    if job.alone:
                        torch.set_num_threads(threads)
                        yield job.run()
                    else:
                        waiting.append(pool.submit(job.run))
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for left in waiting:
                    left.cancel()
    finally:
        torch.set_num_threads(threads)


def _take_threads(count: int) -> None:
    torch.set_num_threads(count)
    torch.get_num_threads()  # or the thread would take over what another one sets before its first product
