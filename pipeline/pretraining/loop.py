"""The training loop: from step to step until the budget ends, resumable at every checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch.optim import Optimizer

from pipeline.library import attend_by_products
from pipeline.pretraining.batches import Batches
from pipeline.pretraining.masking import Candidates, Masked
from pipeline.pretraining.model import MaskedPieces, Question
from pipeline.pretraining.optimizers import OPTIMIZERS, level
from pipeline.pretraining.settings import Pretrain
from pipeline.pretraining.storage import Position, Storage

Say = Callable[[str], None]


@dataclass(slots=True)
class Recent:
    """Losses since the last progress line."""

    since: float
    losses: list[torch.Tensor] = field(default_factory=list)

    def mean(self) -> float:
        """Nothing seen: nan."""
        return float(torch.stack(self.losses).mean()) if self.losses else math.nan


class Loop:
    """One run: model, optimizers, text and where it stands."""

    def __init__(self, settings: Pretrain, model: MaskedPieces, batches: Batches, storage: Storage) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.batches, self.storage = settings, batches, storage
        self.accelerator = Accelerator(mixed_precision=settings.precision)
        made = OPTIMIZERS[settings.schedule.optimizer](model, settings.schedule)
        self.full_rates = [[group["lr"] for group in one.param_groups] for one in made]
        self.model: MaskedPieces = self.accelerator.prepare(model)
        self.optimizers: list[Optimizer] = [self.accelerator.prepare(one) for one in made]
        self.encoder = model.encoder
        if settings.precision == "bf16":
            attend_by_products(self.encoder, self.accelerator.device)
        if settings.compile:
            self.encoder.compile()
        self.position = storage.resume(self.accelerator)
        self.held_out = batches.evaluation(settings.evaluation_rows)

    def run(self, say: Say) -> Position:
        """Train until the budget ends; leave a checkpoint, the encoder and the log. Where it ended."""
        started = time.monotonic() - self.position.seconds
        saved = self.position.seconds
        recent = Recent(self.position.seconds)
        for masked, candidates in self._batches():
            recent.losses.append(self._step(masked, candidates))
            step = self.position.step + 1
            pieces = self.position.pieces + masked.ids.size
            self.position = Position(step, time.monotonic() - started, pieces)
            last = self.progress() >= 1
            if last or self.position.seconds - recent.since >= self.settings.progress_seconds:
                self._report(recent, say)
                recent = Recent(self.position.seconds)
            if last or self.position.seconds - saved >= 60 * self.settings.checkpoint_minutes:
                self._evaluate(say)
                self.position = Position(step, time.monotonic() - started, pieces)
                self.storage.save(self.accelerator, self.encoder, self.position)
                saved = self.position.seconds
        return self.position

    def progress(self) -> float:
        """The share of the budget that is spent, from 0 to 1 and beyond."""
        if self.settings.budget_steps is not None:
            return self.position.step / self.settings.budget_steps
        return self.position.seconds / 60 / (self.settings.budget_minutes or math.inf)

    def _batches(self) -> Iterator[tuple[Masked, Candidates | None]]:
        """The batches that are still to come, each made while the one before is trained on."""
        with ThreadPoolExecutor(1) as worker:
            step = self.position.step
            following = worker.submit(self.batches.at, step)
            while self.progress() < 1:
                batch = following.result()
                step += 1
                following = worker.submit(self.batches.at, step)
                yield batch

    def _step(self, masked: Masked, candidates: Candidates | None) -> torch.Tensor:
        schedule = self.settings.schedule
        share = level(self.progress(), schedule.rise, schedule.fall)
        for optimizer, rates in zip(self.optimizers, self.full_rates, strict=True):
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share
            optimizer.zero_grad()
        self.model.train()
        loss: torch.Tensor = self.model(self._question(masked, candidates))
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), schedule.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.detach()

    def _question(self, masked: Masked, candidates: Candidates | None = None) -> Question:
        device = self.accelerator.device
        drawn = (candidates.ids, candidates.log_chance) if candidates else None
        return Question(
            torch.from_numpy(masked.ids).to(device),
            torch.from_numpy(masked.positions).to(device),
            torch.from_numpy(masked.targets).to(device),
            torch.from_numpy(drawn[0]).to(device) if drawn else None,
            torch.from_numpy(drawn[1]).to(device) if drawn else None,
        )

    def _report(self, recent: Recent, say: Say) -> None:
        loss = recent.mean()
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss at step {self.position.step} is {loss}; lower schedule.rate and start again from "
                f"the last checkpoint"
            )
        here = self.position
        read = len(recent.losses) * self.batches.rows * self.settings.objective.width
        speed = read / max(here.seconds - recent.since, 1e-9)
        remaining = here.seconds * (1 / max(self.progress(), 1e-9) - 1)
        end = time.strftime("%H:%M", time.localtime(time.time() + remaining))
        say(
            f"step {here.step:,}  {here.seconds / 60:.1f} min  {here.pieces:,} pieces  {speed:,.0f} pieces/s"
            f"  loss {loss:.3f}  ends {end}"
        )
        self.storage.log(here, {"loss": round(loss, 4), "pieces_per_second": round(speed)})

    def _evaluate(self, say: Say) -> None:
        """The mean loss over hidden pieces of held-out text, among the whole vocabulary, by source."""
        self.model.eval()
        losses: dict[str, float] = {}
        total, count, words = 0.0, 0, 0
        with torch.compiler.set_stance("force_eager"), self.accelerator.autocast():
            for name, parts in self.held_out.items():
                hidden = sum(len(part.targets) for part in parts)
                added = sum(
                    self.accelerator.unwrap_model(self.model).total(self._question(part)) for part in parts
                )
                losses[name] = round(added / max(hidden, 1), 4)
                words += sum(self.batches.mask.words(part) for part in parts)
                total, count = total + added, count + hidden
        if count:
            losses["all"] = round(total / count, 4)
            losses["all, a word"] = round(total / max(words, 1), 4)  # whatever the vocabulary
        say("held out: " + "  ".join(f"{name} {loss:.3f}" for name, loss in losses.items()))
        self.storage.log(self.position, {"evaluation": losses})
