from __future__ import annotations

import pytest
import torch

from pipeline import randomness


def test_numbers_go_on_where_they_were() -> None:
    torch.manual_seed(3)
    known = randomness.states()
    first = torch.rand(4)
    torch.manual_seed(8)
    randomness.restore(known)
    assert torch.equal(torch.rand(4), first)


def test_each_device_gets_its_own_state_as_far_as_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [torch.tensor([n]) for n in (5, 6, 7)])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: given.update({device: state}))
    known = randomness.states()
    assert sorted(known) == ["cuda:0", "cuda:1", "cuda:2", "torch"]
    randomness.restore(known)
    assert {device: state.item() for device, state in given.items()} == {0: 5, 1: 6}
    given.clear()
    randomness.restore({"torch": known["torch"]})  # what a run on a processor left
    assert not given
