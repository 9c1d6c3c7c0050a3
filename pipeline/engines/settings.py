"""The settings of engines: each builds its own. Nothing here needs torch before that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.config import InputError

if TYPE_CHECKING:
    from pipeline.engines.base import Engine
    from pipeline.model import Reader


@dataclass
class EngineSettings:
    """What every engine's settings can do."""

    def build(self, reader: Reader) -> Engine:
        raise NotImplementedError(f"{type(self).__name__} builds no engine")


@dataclass
class BatchedSettings(EngineSettings):
    """Where the encoder runs, in which precision, and how many pieces at once."""

    device: str = "cpu"
    dtype: str = "float32"
    pieces: int = 4096  # padded pieces in a batch

    def build(self, reader: Reader) -> Engine:
        """Raises InputError for a device that is not there or a precision that is not known."""
        import torch

        from pipeline.engines.batched import BatchedEngine

        dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        if self.dtype not in dtypes:
            raise InputError(f"engine.dtype={self.dtype}: expected one of {', '.join(dtypes)}")
        try:
            torch.device(self.device)
        except RuntimeError as error:
            raise InputError(f"engine.device={self.device}: no such device; use cpu or cuda") from error
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise InputError(f"engine.device={self.device}: no CUDA device is there; use engine=cpu")
        reader.float().cpu().eval()
        torch.nn.Module.to(reader.encoder, self.device, dtypes[self.dtype])
        return BatchedEngine(reader, self.device, self.pieces)


@dataclass
class ReferenceSettings(EngineSettings):
    """One window at a time on the CPU."""

    def build(self, reader: Reader) -> Engine:
        from pipeline.engines.reference import ReferenceEngine

        return ReferenceEngine(reader.float().cpu().eval())
