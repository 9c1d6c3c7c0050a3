"""One loop for every corpus, on accelerate: train, watch development data, stop, resume exactly.

The state of a run is one folder of safetensors and JSON, written beside and renamed after every epoch.
A run that was killed goes on from it and ends with the weights that it would have had.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel

from pipeline import mixing, randomness, versions
from pipeline.config import InputError
from pipeline.examples import Example
from pipeline.fitting import development_score
from pipeline.library import attend_by_products
from pipeline.losses import JointLoss
from pipeline.mixing import Integers, Stream
from pipeline.model import Reader
from pipeline.settings import Optimization


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass over the training documents left: mean losses, and scores on development data."""

    number: int
    losses: dict[str, float]
    score: float  # development: mean of strict mention F1 and relation F1 on gold mentions
    mentions: float
    relations: float


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    best: float = -1.0
    best_epoch: int = 0


def train(
    reader: Reader,
    examples: Sequence[Example],
    development: Sequence[Example],
    settings: Optimization,
    seed: int,
    state: Path,
    *,
    streams: Sequence[Stream] = (),
    report: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train the reader in place; it ends with the weights of its best epoch on development data.

    Without development data it ends with the last ones. ``state`` is the folder to resume from; it stays
    until ``forget``. ``streams`` are seen beside the examples; the reader has heads for their schemes.
    ``report`` is called after each epoch; what it raises ends the run, resumably.
    """
    run = Run(reader, examples, development, settings, seed, state, streams=streams)
    run.resume()
    while not run.finished():
        report(run.epoch())
    run.conclude()
    return run.history


class Run:
    """A training run between two epochs: everything that must survive a kill."""

    def __init__(
        self,
        reader: Reader,
        examples: Sequence[Example],
        development: Sequence[Example],
        settings: Optimization,
        seed: int,
        state: Path,
        *,
        streams: Sequence[Stream] = (),
    ) -> None:
        self.examples, self.development, self.streams = examples, development, streams
        self.settings, self.seed, self.state = settings, seed, state
        torch.manual_seed(seed)
        self.accelerator = Accelerator(mixed_precision=settings.precision)
        if settings.precision == "bf16":
            attend_by_products(cast(PreTrainedModel, reader.encoder), self.accelerator.device)
        self.reader = reader
        reader.encoder.get_input_embeddings().requires_grad_(settings.embedding_rate > 0)
        self.steps = math.ceil(len(examples) / settings.documents) * settings.epochs
        optimizer = torch.optim.AdamW(_groups(reader, settings), fused=True)
        schemes = {stream.scheme: stream.weight for stream in streams} | {examples[0].scheme: 1.0}
        self.module, self.optimizer = self.accelerator.prepare(
            JointLoss(reader, settings.weights, settings.hidden, schemes), optimizer
        )
        self.progress = Progress()
        self.history: list[Epoch] = []

    def finished(self) -> bool:
        """Whether all epochs are done, or none of the last ones was better."""
        waited = self.progress.epoch - self.progress.best_epoch
        patience = self.settings.patience
        stop = bool(self.development) and 0 < patience <= waited
        return self.progress.epoch >= self.settings.epochs or stop

    def epoch(self) -> Epoch:
        """One pass over the training documents, scored and saved."""
        number = self.progress.epoch + 1
        losses: dict[str, list[float]] = {}
        self.module.train()
        batches = list(self._batches(number))
        for position, batch in enumerate(batches):
            self._set_rate((number - 1) * len(batches) + position)
            found = self.module(batch)
            self.accelerator.backward(found["total"])
            self.accelerator.clip_grad_norm_(self.module.parameters(), self.settings.clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            for name, loss in found.items():
                losses.setdefault(name, []).append(float(loss.detach()))
        mentions, relations = development_score(self.reader, self.development)
        means = {name: sum(values) / len(values) for name, values in losses.items()}
        epoch = Epoch(number, means, (mentions + relations) / 2, mentions, relations)
        self.history.append(epoch)
        self.progress.epoch = number
        better = epoch.score > self.progress.best or not self.development
        if better:
            self.progress.best, self.progress.best_epoch = epoch.score, number
        self._save(better)
        return epoch

    def _batches(self, epoch: int) -> Iterator[list[Example]]:
        sources = (self.examples, *(stream.examples for stream in self.streams))
        size = self.settings.documents
        for parts in mixing.batches(len(self.examples), size, self.streams, self.seed, epoch):
            pairs = zip(sources, parts, strict=True)
            yield [source[n] for source, part in pairs for n in self._mine(part).tolist()]

    def _mine(self, numbers: Integers) -> Integers:
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        return numbers[rank::processes] if len(numbers) >= processes else numbers

    def _set_rate(self, step: int) -> None:
        warm = max(1, int(self.settings.warmup * self.steps))
        left = max(0.0, (self.steps - step) / max(1, self.steps - warm))
        share = min((step + 1) / warm, left)
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * share

    def _save(self, better: bool) -> None:
        if not self.accelerator.is_main_process:
            return
        beside = self.state.with_name(self.state.name + ".new")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        weights = _whole(self.reader.state_dict())
        save_file(weights, beside / "model.safetensors")
        save_file(_optimizer_tensors(self.optimizer), beside / "optimizer.safetensors")
        save_file(randomness.states(), beside / "random.safetensors")
        if better:
            save_file(weights, beside / "best.safetensors")
        else:
            (beside / "best.safetensors").hardlink_to(self.state / "best.safetensors")
        history = [asdict(epoch) for epoch in self.history]
        record = {"seed": self.seed, "progress": asdict(self.progress), "history": history}
        record |= {"mix": self._mix(), "settings": asdict(self.settings), "documents": self._documents()}
        (beside / "state.json").write_text(json.dumps(record), encoding="utf-8")
        old = self.state.with_name(self.state.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if self.state.is_dir():
            self.state.rename(old)
        beside.rename(self.state)
        shutil.rmtree(old, ignore_errors=True)

    def resume(self) -> None:
        """Go on where an earlier run with this state folder was stopped; else start."""
        beside = self.state.with_name(self.state.name + ".new")
        if not self.state.is_dir() and (beside / "state.json").is_file():
            beside.rename(self.state)  # killed between the two renamings
        if not (self.state / "state.json").is_file():
            return
        record = json.loads((self.state / "state.json").read_text("utf-8"))
        if record["seed"] != self.seed:
            raise ValueError(f"{self.state}: belongs to seed {record['seed']}, not {self.seed}; remove it")
        if record.get("mix", []) != self._mix():
            raise ValueError(f"{self.state}: belongs to a run with another mix of corpora; remove it")
        self._refuse_others(record)
        self.progress = Progress(**record["progress"])
        self.history = [Epoch(**epoch) for epoch in record["history"]]
        self.reader.load_state_dict(load_file(self.state / "model.safetensors"))
        _restore_optimizer(self.optimizer, load_file(self.state / "optimizer.safetensors"))
        randomness.restore(load_file(self.state / "random.safetensors"))

    def _refuse_others(self, record: dict[str, Any]) -> None:
        mine = asdict(self.settings)
        theirs = record.get("settings", mine)  # states of old do not say
        theirs = {"embedding_rate": theirs.get("encoder_rate")} | theirs  # so it was, before it could be told
        other = [f"{k}={theirs.get(k)}, not {v}" for k, v in mine.items() if theirs.get(k) != v]
        if record.get("documents", self._documents()) != self._documents():
            other.append("other documents")
        if other:
            raise InputError(
                f"{self.state}: belongs to a run with {'; '.join(other)}; remove it, or name another output"
            )

    def _documents(self) -> list[str]:
        return [
            versions.fingerprint([e.document for e in part]) for part in (self.examples, self.development)
        ]

    def _mix(self) -> list[list[Any]]:
        return [[s.name, len(s.examples), s.share, s.weight] for s in self.streams]

    def conclude(self) -> None:
        """Give the reader the weights of its best epoch."""
        if (self.state / "best.safetensors").is_file():
            self.reader.load_state_dict(load_file(self.state / "best.safetensors"))
        self.reader.eval()


def forget(state: Path) -> None:
    """Remove what a run could be resumed from."""
    old, new, gone = (state.with_name(state.name + end) for end in (".old", ".new", ".gone"))
    shutil.rmtree(gone, ignore_errors=True)
    if state.is_dir():
        state.rename(gone)  # half of it would be taken for the whole
    for folder in (gone, old, new):
        shutil.rmtree(folder, ignore_errors=True)


def _groups(reader: Reader, settings: Optimization) -> list[dict[str, Any]]:
    """Parameters by rate; no decay for norms and biases. Embeddings with a rate of 0 are left out."""
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    embeddings = reader.encoder.get_input_embeddings().weight
    for name, parameter in reader.named_parameters():
        rate = settings.encoder_rate if name.startswith("encoder.") else settings.head_rate
        if parameter is embeddings:
            rate = settings.embedding_rate
            if not rate:
                continue
        decay = settings.decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def _whole(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}


def _optimizer_tensors(optimizer: Any) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{key}": torch.as_tensor(value).detach().cpu().contiguous()
        for number, values in state.items()
        for key, value in values.items()
    }


def _restore_optimizer(optimizer: Any, tensors: dict[str, Tensor]) -> None:
    whole = optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, _, key = name.partition(".")
        state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
