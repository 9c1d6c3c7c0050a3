"""Any encoder of the library, compiled by OpenVINO for the processor: the extra ``openvino``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import openvino
import torch
from torch import Tensor, nn

from pipeline.engines.base import Windows
from pipeline.engines.padded import area
from pipeline.model import Reader, pad, unpad


class _Vectors(nn.Module):
    """The encoder as a function of two tensors: what the compiler follows."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.reader.encode(ids, mask)


def _convert(reader: Reader) -> openvino.Model:
    """The encoder as OpenVINO's graph, for batches of any shape."""
    ids = torch.ones(2, 8, dtype=torch.int64)
    mask = torch.ones(2, 8, dtype=torch.bool)
    mask[1, 5:] = False  # of a batch without padding, the library leaves the mask out
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of checks of shapes that hold for all batches
        return openvino.convert_model(_Vectors(reader.eval()), example_input=(ids, mask))


class OpenVinoForward:
    """A padded batch, cut into one part for each core: each core works through its part undisturbed."""

    concurrent = False

    def __init__(self, reader: Reader, dtype: str, threads: int) -> None:
        self.specials = reader.specials
        model = _convert(reader)
        compiled = openvino.Core().compile_model(
            model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[dtype],
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": threads,
            },
        )
        self.requests = [compiled.create_infer_request() for _ in range(threads)]

    def cost(self, lengths: Sequence[int]) -> int:
        """Rows times the longest of them."""
        return area(lengths, self.specials)

    def __call__(self, windows: Windows) -> Tensor:
        """Vectors float32 [pieces, width] of all windows, one after the other."""
        share = -(-len(windows) // len(self.requests))
        parts = [windows[start : start + share] for start in range(0, len(windows), share)]
        asked = list(zip(self.requests, parts, strict=False))
        for request, part in asked:
            ids, mask = pad(part, self.specials)
            request.start_async([ids.numpy(), mask.numpy()])
        errors = [error for request, _ in asked if (error := _waited(request)) is not None]
        if errors:
            raise errors[0]  # when no request is at work any more: the next try needs all of them
        vectors: list[Tensor] = []
        for request, part in asked:
            rows = torch.from_numpy(request.get_output_tensor(0).data)
            vectors += unpad(rows, [len(window) for window in part], self.specials)
        return torch.cat(vectors)


def _waited(request: openvino.InferRequest) -> RuntimeError | None:
    try:
        request.wait()
    except RuntimeError as error:
        return error
    return None
