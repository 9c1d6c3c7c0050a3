"""A trained model in one folder, and the only door for weights.

    config.json, model.safetensors      the encoder; AutoModel.from_pretrained loads the folder
    tokenizer.json, tokenizer_config…   its tokenizer
    heads.safetensors                   the heads
    depesche.json                       labels, settings, thresholds, and where all of it came from
    SHA256SUMS                          what the files must hash to

Weights are read from safetensors alone, and no code that a folder names is ever run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from annotations import scheme
from annotations.formats.reading import write_whole
from pipeline import modernbert
from pipeline.config import InputError
from pipeline.decoding import Thresholds
from pipeline.folder import CARD, EMBEDDED, HEADS, SUMS
from pipeline.model import Reader
from pipeline.settings import STORED, ModelSettings
from pipeline.trust import refuse_code

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in STORED}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model came from: kept with its weights."""

    trained_on: tuple[str, ...] = ()  # text_sha256 of every training document, development included
    notes: Mapping[str, Any] = field(default_factory=dict)  # settings, versions, seconds, scores


@dataclass(frozen=True, slots=True)
class Model:
    """A reader with all that it needs to read: tokenizer, thresholds, origin."""

    reader: Reader
    tokenizer: Tokenizer
    thresholds: Thresholds
    origin: Origin
    digest: str  # SHA-256 over the sums of its files; "" where it was never saved


def save(model: Model, hugging: Any, folder: Path, dtype: str = "float32") -> None:
    """Write the folder, its sums last: a folder without them is not a whole model."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = _DTYPES[dtype]
    encoder = cast("PreTrainedModel", model.reader.encoder)
    state = encoder.state_dict()
    encoder.save_pretrained(folder, state_dict={name: _stored(value, kind) for name, value in state.items()})
    hugging.save_pretrained(folder)
    heads = {
        f"{name}.{key}": _stored(value, kind)
        for name, module in model.reader.heads().items()
        for key, value in module.state_dict().items()
    }
    save_file(heads, folder / HEADS)
    card = {
        "scheme": scheme.VERSION,
        "entities": list(scheme.ENTITY_LABELS),
        "relations": list(scheme.RELATION_LABELS),
        "modalities": list(scheme.MODALITIES),
        "settings": dataclasses.asdict(model.reader.settings),
        "thresholds": dataclasses.asdict(model.thresholds),
        "trained_on": sorted(model.origin.trained_on),
        "notes": dict(model.origin.notes),
    }
    write_whole(folder / CARD, (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode())
    write_sums(folder)


def _stored(value: Tensor, kind: torch.dtype) -> Tensor:
    value = value.detach().cpu()
    return (value.to(kind) if value.is_floating_point() else value).contiguous()


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS over all files of a model's folder, in the form that sha256sum -c reads."""
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.name not in (SUMS, "README.md"))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    write_whole(folder / SUMS, "".join(lines).encode())


def find(name: str) -> Path:
    """The folder of a model: ``embedded``, a checkpoint, or what a training run left."""
    folder = EMBEDDED if name == "embedded" else Path(name)
    return folder / "checkpoint" if (folder / "checkpoint" / SUMS).is_file() else folder


def load(folder: Path, *, bare: bool = False) -> Model:
    """A trained model from its folder. Raises InputError where it is missing, damaged or too old.

    ``bare``: the weights of the encoder will do, where they are those of a ModernBERT whose layers look at
    everything (pipeline/modernbert.py): all that the packed pass needs. Otherwise the library loads it.
    """
    digest = _verify(folder)
    refuse_code(folder)
    card = json.loads((folder / CARD).read_text("utf-8"))
    labels = (card["entities"], card["relations"], card["modalities"])
    expected = (scheme.ENTITY_LABELS, scheme.RELATION_LABELS, scheme.MODALITIES)
    if labels != tuple(map(list, expected)):
        raise InputError(f"{folder / CARD}: its labels are not those of this scheme; retrain the model")
    reader, tokenizer = _encoder(folder, ModelSettings(**card["settings"]), bare=bare)
    state = load_file(folder / HEADS)
    for name, module in reader.heads().items():
        own = {k.removeprefix(f"{name}."): v.float() for k, v in state.items() if k.startswith(f"{name}.")}
        try:
            module.load_state_dict(own)
        except RuntimeError as error:
            what = f"{folder / HEADS}: its head {name!r} is not that of this version; retrain the model"
            raise InputError(what) from error
    origin = Origin(tuple(card["trained_on"]), card["notes"])
    return Model(reader.eval(), tokenizer, Thresholds(**card["thresholds"]), origin, digest)


def _encoder(folder: Path, settings: ModelSettings, *, bare: bool) -> tuple[Reader, Tokenizer]:
    found = modernbert.read(folder, settings) if bare else None
    if found is not None:
        return found
    from pipeline.library import load_encoder  # imports transformers, which takes seconds

    reader, tokenizer, _ = load_encoder(str(folder), settings)
    return reader, tokenizer


def _verify(folder: Path) -> str:
    sums = folder / SUMS
    if not sums.is_file():
        raise InputError(f"model={folder}: is no trained model: {SUMS} is missing there")
    wrong = []
    for line in sums.read_text("utf-8").splitlines():
        expected, _, name = line.partition("  ")
        file = folder / Path(name).name
        if not file.is_file():
            wrong.append(f"{file}: missing")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            wrong.append(f"{file}: damaged; its SHA-256 is not the one in {SUMS}")
    if wrong:
        raise InputError("\n".join(wrong))
    return hashlib.sha256(sums.read_bytes()).hexdigest()
