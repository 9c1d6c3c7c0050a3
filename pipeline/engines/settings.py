"""The settings of engines: each builds its own. Nothing here needs torch before that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pipeline.config import InputError

if TYPE_CHECKING:
    from pipeline.engines.base import Engine, Forward
    from pipeline.model import Reader
    from pipeline.modernbert import ModernBert

DTYPES = ("float32", "bfloat16")
_MOST_WORKERS = 4  # each holds a part of the input in memory
# Pieces in a batch that are tried out where none is given. Small batches stay in a processor's cache.
CANDIDATES = {"cpu": (2048, 1024, 4096, 8192), "cuda": (65536, 16384, 32768)}
CHUNKS = {"cpu": 8192, "cuda": 131072}  # pieces that are read together: enough to fill each of them


@dataclass
class EngineSettings:
    """What every engine's settings can do."""

    def bare(self) -> bool:
        """Whether the engine can do with the weights of an encoder that the packed pass knows."""
        return False

    def build(self, reader: Reader) -> Engine:
        raise NotImplementedError(f"{type(self).__name__} builds no engine")


@dataclass
class BatchedSettings(EngineSettings):
    """Where the encoder runs, in which precision, and how many pieces at once."""

    device: str = "cpu"  # cpu, cuda, cuda:1 …; auto: a GPU where there is one
    dtype: str = "float32"  # or bfloat16; auto: bfloat16 where the machine multiplies it natively
    pieces: int | None = None  # in a batch; null: found out on the first batches, and remembered
    workers: int | None = None  # parts of the input that are read at a time; null: as many as pay
    compile: bool = False  # on a GPU in bfloat16: compiled by PyTorch on the first batch, which takes a while

    def __post_init__(self) -> None:
        for name, value in (("pieces", self.pieces), ("workers", self.workers)):
            if value is not None and value < 1:
                raise ValueError(f"engine.{name}={value}: expected at least 1, or null")

    def bare(self) -> bool:
        """Its packed pass is the one that needs no more."""
        return True

    def build(self, reader: Reader) -> Engine:
        """Raises InputError for a device that is not there or a precision that is not known."""
        import torch

        from pipeline.engines.batched import BatchedEngine
        from pipeline.engines.budget import Budget, Memory

        device = self._device()
        dtype = self._dtype(device)
        reader.float().cpu().eval()
        forward, name = self._forward(reader, device, dtype)
        for head in reader.heads().values():
            head.to(device)  # vectors stay where they are computed
        kind = torch.device(device).type
        workers = self.workers or workers_for(kind, concurrent=forward.concurrent)
        if self.pieces is not None:
            budget = Budget(self.pieces)
        else:
            memory = Memory(f"{name} {_machine(reader, device, dtype)} {workers} workers")
            budget = Budget(CANDIDATES[kind][0], CANDIDATES[kind], memory)
        compiled = getattr(forward, "compiled", False)
        if self.compile and not compiled:
            raise InputError(
                "engine.compile=true: only ModernBERT is compiled, in bfloat16 on a GPU with PyTorch's "
                f"kernel for windows of any length; not {name} on {device} in {dtype}; leave it out"
            )
        described = {"engine": name, "device": _name(device), "dtype": dtype, "compiled": compiled}
        return BatchedEngine(forward, budget, described, workers, CHUNKS[kind])

    def _forward(self, reader: Reader, device: str, dtype: str) -> tuple[Forward, str]:
        """The packed pass where it knows the encoder, else a padded one; and its name."""
        import torch

        from pipeline import modernbert
        from pipeline.engines import packed
        from pipeline.engines.padded import PaddedForward

        encoder, room = reader.encoder, reader.settings.window + reader.specials.around()
        kind: torch.dtype = getattr(torch, dtype)
        if modernbert.fits(encoder.config, room):
            known = cast("ModernBert", encoder)
            forward = packed.PackedForward(known, reader.specials, device, kind, compiled=self.compile)
            return forward, "packed"
        torch.nn.Module.to(encoder, device, kind)
        return PaddedForward(reader, device), "padded"

    def _device(self) -> str:
        import torch

        if self.device == "auto":
            return "cuda" if torch.cuda.is_available() else "cpu"
        try:
            kind = torch.device(self.device).type
        except RuntimeError as error:
            raise InputError(f"engine.device={self.device}: no such device; use auto, cpu or cuda") from error
        if kind not in CANDIDATES:
            raise InputError(f"engine.device={self.device}: expected auto, cpu or cuda")
        if kind == "cpu":
            return "cpu"
        if not torch.cuda.is_available():
            raise InputError(f"engine.device={self.device}: no CUDA device is there; use engine=cpu")
        if (torch.device(self.device).index or 0) >= torch.cuda.device_count():
            raise InputError(
                f"engine.device={self.device}: there are {torch.cuda.device_count()} CUDA devices"
            )
        return self.device

    def _dtype(self, device: str) -> str:
        import torch

        if self.dtype not in (*DTYPES, "auto"):
            raise InputError(f"engine.dtype={self.dtype}: expected one of auto, {', '.join(DTYPES)}")
        if self.dtype != "auto":
            return self.dtype
        if device != "cpu":
            return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
        able = torch.cpu.get_capabilities()
        return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


@dataclass
class OpenVinoSettings(BatchedSettings):
    """The encoder compiled by OpenVINO; the rest as on the processor."""

    def bare(self) -> bool:
        """It compiles the library's forward pass."""
        return False

    def _forward(self, reader: Reader, device: str, dtype: str) -> tuple[Forward, str]:
        import torch

        try:
            from pipeline.engines.openvino import OpenVinoForward
        except ImportError as error:
            raise InputError(
                "engine=openvino: OpenVINO is not installed; pip install 'depesche[openvino]'"
            ) from error
        if device != "cpu":
            raise InputError(f"engine.device={self.device}: OpenVINO runs on the processor here; use cpu")
        return OpenVinoForward(reader, dtype, torch.get_num_threads()), "openvino"


@dataclass
class ReferenceSettings(EngineSettings):
    """One window at a time on the CPU."""

    def build(self, reader: Reader) -> Engine:
        from pipeline.engines.reference import ReferenceEngine

        return ReferenceEngine(reader.float().cpu().eval())


def workers_for(kind: str, *, concurrent: bool) -> int:
    """On a GPU one reads while another decodes; on a processor cores that work apart wait for nobody."""
    import torch

    if kind != "cpu":
        return 2
    threads = torch.get_num_threads()
    # As many as leave the fewest threads without work, when each has the same share of them.
    every = range(1, min(threads, _MOST_WORKERS) + 1) if concurrent else (1,)
    return max(every, key=lambda workers: (threads // workers * workers, workers))


def _name(device: str) -> str:
    import torch

    if device == "cpu":
        return str(torch.cpu.get_capabilities().get("cpu_name", "cpu"))
    return torch.cuda.get_device_name(device)


def _machine(reader: Reader, device: str, dtype: str) -> str:
    """What the best size of a batch depends on."""
    import torch

    shape = reader.encoder.config
    layers = f"{shape.model_type} {shape.num_hidden_layers}x{shape.hidden_size}"
    return (
        f"{layers} window {reader.settings.window} {dtype} {_name(device)} {torch.get_num_threads()} threads"
    )
