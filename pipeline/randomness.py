"""The states of the generators of random numbers: what a run needs to go on exactly."""

from __future__ import annotations

import torch


def states() -> dict[str, torch.Tensor]:
    """Of the processor and of each GPU: dropout is drawn where the model is."""
    found = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        found |= {f"cuda:{n}": state for n, state in enumerate(torch.cuda.get_rng_state_all())}
    return found


def restore(known: dict[str, torch.Tensor]) -> None:
    """What ``states`` gave, as far as the devices are there."""
    torch.set_rng_state(known["torch"])
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for number in range(there):
        if f"cuda:{number}" in known:
            torch.cuda.set_rng_state(known[f"cuda:{number}"], number)
