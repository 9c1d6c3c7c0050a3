"""How many pieces a batch holds: found out, remembered, halved where memory ends, and grown again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.engines.budget import Budget, Memory


def test_the_fastest_size_of_batch_is_found_out_and_remembered(cache: Path) -> None:
    budget = Budget(1, (100, 200, 400), Memory("a machine"))
    speeds = {100: 1.0, 200: 3.0, 400: 2.0}
    sizes = []
    for _ in range(12):
        sizes.append(budget.pieces)
        budget.served(budget.pieces, budget.pieces, budget.pieces, budget.pieces / speeds[budget.pieces])
    assert sizes == [100, 200, 400] * 3 + [200] * 3
    assert json.loads(cache.read_text(encoding="utf-8")) == {"a machine": 200}
    assert Budget(1, (100, 200, 400), Memory("a machine")).pieces == 200
    assert Budget(1, (100, 400), Memory("a machine")).pieces == 100, "no candidate any more"
    assert Budget(7, memory=Memory("a machine")).pieces == 7, "told, not found out"


def test_a_size_that_is_never_filled_is_not_waited_for(cache: Path) -> None:
    budget = Budget(1, (100, 400, 200), Memory("a machine"))
    for _ in range(50):
        cost = min(budget.pieces, 150)
        budget.served(budget.pieces, cost, cost, 1.0)
    assert not budget.candidates
    assert json.loads(cache.read_text(encoding="utf-8")) == {"a machine": 200}


def failures(budget: Budget, room: int, batches: int) -> int:
    """How often memory ends, where so much of it is there."""
    count = 0
    for _ in range(batches):
        if budget.pieces > room:
            count += 1
            budget.halve(budget.pieces, budget.pieces)
        else:
            budget.served(budget.pieces, budget.pieces, budget.pieces, 1.0)
    return count


def test_a_size_that_does_not_fit_is_no_candidate_any_more() -> None:
    budget = Budget(1, (100, 200, 400))
    assert failures(budget, 300, 100) == 1
    assert not budget.candidates
    assert budget.pieces == 200


def test_what_failed_twice_is_not_grown_back_to() -> None:
    budget = Budget(800)
    assert failures(budget, 500, 1000) == 2
    assert budget.pieces == 400


@pytest.mark.parametrize("workers", [2, 4])
def test_the_fastest_size_is_found_out_by_several_workers(workers: int) -> None:
    speeds = {100: 1.0, 200: 3.0, 400: 2.0}
    budget = Budget(1, (100, 200, 400))
    planned = [budget.pieces] * workers
    for turn in range(60):
        size = planned[turn % workers]
        budget.served(size, size, size, size / speeds[size])
        planned[turn % workers] = budget.pieces
    assert budget.pieces == 200


def test_one_want_of_memory_is_halved_once_however_many_workers_meet_it() -> None:
    budget = Budget(800)
    for _ in range(4):  # all planned before the first of them failed
        budget.halve(800, 790)
    assert budget.pieces == 395
    assert budget.halvings == 4
    for _ in range(100):
        budget.served(395, 395, 395, 1.0)
    assert budget.pieces == 800


@pytest.mark.parametrize("pieces", [0, -5])
def test_a_budget_of_nothing_is_refused(pieces: int) -> None:
    with pytest.raises(ValueError, match="expected at least 1"):
        Budget(pieces)


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    Memory("a machine").keep(5)
    assert Memory("a machine").recall() is None


@pytest.mark.parametrize("content", ["", "[]", '{"a machine": "x"}', "{"])
def test_a_cache_that_is_no_cache_is_forgotten(cache: Path, content: str) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text(content, encoding="utf-8")
    assert Memory("a machine").recall() is None
    Memory("a machine").keep(5)
    assert Memory("a machine").recall() == 5


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    Memory("a machine").keep(5)
    assert Memory("a machine").recall() is None
