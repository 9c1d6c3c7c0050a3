"""Results in the order of the jobs, however long each takes; nothing left running, nothing swallowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch

from pipeline.ordered import Job, in_order


def slow(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number


@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("alone", [0.0, 0.3, 1.0])
def test_results_come_in_the_order_of_the_jobs(workers: int, alone: float) -> None:
    random = np.random.default_rng(workers)
    jobs = [
        Job(partial(slow, n, float(random.random()) / 200), bool(random.random() < alone)) for n in range(60)
    ]
    assert list(in_order(jobs, workers, torch.get_num_threads())) == list(range(60))


def test_a_job_alone_has_all_threads_and_no_company() -> None:
    before = torch.get_num_threads()
    at_work: list[str] = []
    seen: list[tuple[int, int]] = []

    def job(name: str) -> None:
        at_work.append(name)
        time.sleep(0.002)
        seen.append((len(at_work), torch.get_num_threads()))
        at_work.remove(name)

    jobs = [Job(partial(job, str(n)), alone=n % 5 == 4) for n in range(40)]
    list(in_order(jobs, 2, 2))
    alone = [found for found in seen if found[1] == 2]
    assert len(alone) == 8
    assert all(company == 1 for company, _ in alone)
    assert {threads for _, threads in seen} == {1, 2}
    assert max(company for company, _ in seen) == 2
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_jobs_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[Job[int]]:
        for number in range(100):
            taken.append(number)
            yield Job(partial(slow, number, 0.0))

    results = in_order(jobs(), 2, 2)
    assert next(results) == 0
    assert len(taken) <= 5
    results.close()


def test_what_a_job_raises_is_raised_in_its_turn() -> None:
    def fails() -> int:
        raise ZeroDivisionError("here")

    jobs = [Job(partial(slow, 0, 0.01)), Job(fails), Job(partial(slow, 2, 0.0))]
    results = in_order(jobs, 2, 2)
    assert next(results) == 0
    with pytest.raises(ZeroDivisionError, match="here"):
        next(results)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]
