"""What a run leaves in its folder, and how it takes up again where it stood."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from transformers import PreTrainedModel

_KEPT = "position.json"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: steps done, seconds of training, pieces read."""

    step: int = 0
    seconds: float = 0.0
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class Storage:
    """The output folder: checkpoint/ to resume from, the encoder, master/ with float32 weights, the log."""

    folder: Path

    def resume(self, accelerator: Accelerator) -> Position:
        """Load the checkpoint, if there is one, and forget what the log says of later steps."""
        kept = self.folder / "checkpoint"
        if not kept.is_dir():
            kept = self.folder / "checkpoint.old"  # stopped between two renames
        position = Position()
        if kept.is_dir():
            accelerator.load_state(str(kept))
            position = Position(**json.loads((kept / _KEPT).read_text(encoding="utf-8")))
        if self._log.is_file():
            lines = self._log.read_text(encoding="utf-8").splitlines(keepends=True)
            # The last one may be half a line, where the run was killed.
            lines = [line for line in lines if line[-1] == "\n" and json.loads(line)["step"] <= position.step]
            self._log.write_text("".join(lines), encoding="utf-8")
        return position

    def save(self, accelerator: Accelerator, encoder: PreTrainedModel, position: Position) -> None:
        """A checkpoint, and the encoder as it is: written beside, then renamed."""
        partial, kept, old = (
            self.folder / name for name in ("checkpoint.partial", "checkpoint", "checkpoint.old")
        )
        shutil.rmtree(partial, ignore_errors=True)
        accelerator.save_state(str(partial))
        (partial / _KEPT).write_text(json.dumps(asdict(position)), encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if kept.is_dir():
            kept.rename(old)
        partial.rename(kept)
        shutil.rmtree(old, ignore_errors=True)
        self._export(encoder, self.folder / "master", torch.float32)
        self._export(encoder, self.folder, torch.bfloat16)

    def log(self, position: Position, values: Mapping[str, object]) -> None:
        """A line of pretraining_log.jsonl."""
        line = {"step": position.step, "minutes": round(position.seconds / 60, 3), "pieces": position.pieces}
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, **values}) + "\n")

    @property
    def _log(self) -> Path:
        return self.folder / "pretraining_log.jsonl"

    def _export(self, encoder: PreTrainedModel, folder: Path, kind: torch.dtype) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            name: weight.detach().to("cpu", kind).contiguous()
            for name, weight in encoder.state_dict().items()
        }
        partial = folder / "model.safetensors.partial"
        save_file(weights, partial, metadata={"format": "pt"})
        partial.chmod(0o644)
        described: dict[str, object] = encoder.config.to_dict()
        config = {**described, "architectures": [type(encoder).__name__]}
        config["dtype"] = str(kind).removeprefix("torch.")
        written = json.dumps(config, indent=2, sort_keys=True, default=str) + "\n"
        (folder / "config.json").write_text(written, encoding="utf-8")
        partial.replace(folder / "model.safetensors")
