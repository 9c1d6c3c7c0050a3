"""What others do with the same encoder on the same texts: mentions only, with random heads, for their speed.

Each is built as its own documentation says. An ImportError where it is not installed.
"""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from transformers import AutoModel, AutoModelForTokenClassification, AutoTokenizer, pipeline

from annotations import scheme
from pipeline.folder import EMBEDDED

_TAGS = [f"{prefix}-{label}" for label in scheme.ENTITY_LABELS for prefix in "BI"]
_ROOM = 500  # pieces; texts are cut to 250 words beforehand, which are about 400


class Peer(Protocol):
    """Whoever reads texts."""

    def read(self, texts: Sequence[str]) -> None:
        """Read all of them."""
        ...


def _cut(texts: Sequence[str], words: int = 250) -> list[str]:
    """Texts of at most so many words."""
    parts = []
    for text in texts:
        found = text.split()
        parts += [" ".join(found[start : start + words]) for start in range(0, len(found), words)]
    return parts


class TransformersPipeline:
    """transformers.pipeline("token-classification")."""

    def __init__(self, dtype: torch.dtype, device: str = "cpu", **options: Any) -> None:
        logging.getLogger("transformers").setLevel(logging.ERROR)
        model = AutoModelForTokenClassification.from_pretrained(
            EMBEDDED, num_labels=len(_TAGS) + 1, dtype=dtype
        )
        self.pipe = pipeline(
            "token-classification",
            model=model,
            tokenizer=AutoTokenizer.from_pretrained(EMBEDDED),
            device=device,
        )
        self.options = options

    def read(self, texts: Sequence[str]) -> None:
        """Tags of all texts, sorted by length where there are batches: the pipeline does not sort."""
        parts = _cut(texts)
        if "batch_size" in self.options:
            parts.sort(key=len)
        for _ in self.pipe(parts, **self.options):
            pass


def best_pipeline(device: str = "cpu", sizes: Sequence[int] = (1, 4, 8, 16, 32)) -> TransformersPipeline:
    """The pipeline at the batch size and the precision that are fastest here, tried on a few texts."""
    sample = [
        " ".join(["Die Regierung in Riga warf Minsk am Montag vor , Grenzer angegriffen zu haben ."] * n)
        for n in range(2, 18)
    ] * max(2, 2 * max(sizes) // 32)
    fastest, least = None, float("inf")
    for dtype in (torch.float32, torch.bfloat16):
        for size in sizes:
            one = TransformersPipeline(dtype, device, batch_size=size)
            one.read(sample[:4])
            since = time.perf_counter()
            one.read(sample)
            if time.perf_counter() - since < least:
                fastest, least = one, time.perf_counter() - since
    assert fastest is not None
    print(f"transformers, best: {fastest.options}, {fastest.pipe.model.dtype}", flush=True)
    return fastest


class SortedLoop:
    """The naive loop over a compiled encoder: sorted by length, padded, in batches of 16; no decoding."""

    def __init__(self, run: Callable[[Any, Any], Any]) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
        self.run = run

    def read(self, texts: Sequence[str]) -> None:
        """Vectors of all texts."""
        parts = sorted(_cut(texts), key=len)
        for start in range(0, len(parts), 16):
            batch = self.tokenizer(
                parts[start : start + 16],
                padding=True,
                truncation=True,
                max_length=_ROOM,
                return_tensors="np",
            )
            self.run(batch["input_ids"].astype(np.int64), batch["attention_mask"].astype(np.int64))


class _Encoder(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(EMBEDDED, dtype=torch.float32).eval()

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        vectors: torch.Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return vectors


def _example() -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.ones(2, 8, dtype=torch.int64)
    mask[1, 5:] = 0
    return torch.ones(2, 8, dtype=torch.int64), mask


def openvino_loop(precision: str) -> SortedLoop:
    """OpenVINO with its default of streams."""
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = openvino.convert_model(_Encoder(), example_input=_example())
    hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = openvino.Core().compile_model(model, "CPU", hints)
    return SortedLoop(lambda ids, mask: compiled([ids, mask]))


def onnx_loop() -> SortedLoop:
    """ONNX Runtime, float32."""
    import onnxruntime

    some = torch.export.Dim("some"), torch.export.Dim("long")
    shape = dict(enumerate(some))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = str(Path(folder) / "encoder.onnx")
        torch.onnx.export(
            _Encoder(), _example(), path, dynamo=True, dynamic_shapes=(shape, shape), verbose=False
        )
        session = onnxruntime.InferenceSession(path, options)
    first, second = (one.name for one in session.get_inputs())
    return SortedLoop(lambda ids, mask: session.run(None, {first: ids, second: mask}))


class Gliner:
    """GLiNER around the same encoder, asked for our twelve labels."""

    def __init__(self) -> None:
        from gliner import GLiNER

        config = {"model_name": str(EMBEDDED), "max_len": _ROOM, "max_width": 12, "hidden_size": 256}
        self.model: Any = GLiNER.from_config(config)
        self.model.eval()

    def read(self, texts: Sequence[str]) -> None:
        """Mentions of all texts, in batches of 8, its default."""
        parts = _cut(texts)
        self.model.inference(parts, list(scheme.ENTITY_LABELS), batch_size=8)


class Spacy:
    """spaCy's own small network, untrained: not the same encoder, but what its users run on processors."""

    def __init__(self) -> None:
        import spacy

        self.model = spacy.blank("de")
        recognizer: Any = self.model.add_pipe("ner")
        for label in scheme.ENTITY_LABELS:
            recognizer.add_label(label)
        self.model.initialize()

    def read(self, texts: Sequence[str]) -> None:
        """Mentions of all texts."""
        for _ in self.model.pipe(texts):
            pass


PEERS: dict[str, Callable[[], Peer]] = {
    "transformers, default": lambda: TransformersPipeline(torch.float32),
    "transformers, best": best_pipeline,
    "sorted loop, OpenVINO float32": lambda: openvino_loop("f32"),
    "sorted loop, OpenVINO bfloat16": lambda: openvino_loop("bf16"),
    "sorted loop, ONNX Runtime float32": onnx_loop,
    "GLiNER": Gliner,
    "spaCy, its own network": Spacy,
}
