"""Any encoder of the library, compiled by OpenVINO for the processor: the extra ``openvino``."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from queue import Queue
from threading import Lock

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
    """A padded batch on as many cores as the calling thread has: each works through its part undisturbed."""

    concurrent = True

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
        self.threads = threads
        self._requests: Queue[openvino.InferRequest] = Queue()
        for _ in range(threads):
            self._requests.put(compiled.create_infer_request())
        self._taking = Lock()

    def cost(self, lengths: Sequence[int]) -> int:
        """Rows times the longest of them."""
        return area(lengths, self.specials)

    def __call__(self, windows: Windows) -> Tensor:
        """Vectors float32 [pieces, width] of all windows, one after the other."""
        share = -(-len(windows) // min(self.threads, torch.get_num_threads()))
        parts = [windows[start : start + share] for start in range(0, len(windows), share)]
        with self._taking:  # all that this call needs, or two calls could wait for each other's
            requests = [self._requests.get() for _ in parts]
        try:
            return torch.cat(self._infer(requests, parts))  # a copy: the requests' memory is used again
        finally:
            for request in requests:
                _waited(request)  # whatever went wrong with another part: none is given back at work
                self._requests.put(request)

    def _infer(self, requests: Sequence[openvino.InferRequest], parts: Sequence[Windows]) -> list[Tensor]:
        for request, part in zip(requests, parts, strict=True):
            ids, mask = pad(part, self.specials)
            request.start_async([ids.numpy(), mask.numpy()])
        errors = [error for request in requests if (error := _waited(request)) is not None]
        if errors:
            raise errors[0]  # when no request is at work any more: the next try needs all of them
        vectors: list[Tensor] = []
        for request, part in zip(requests, parts, strict=True):
            rows = torch.from_numpy(request.get_output_tensor(0).data)
            vectors += unpad(rows, [len(window) for window in part], self.specials)
        return vectors


def _waited(request: openvino.InferRequest) -> RuntimeError | None:
    try:
        request.wait()
    except RuntimeError as error:
        return error
    return None
