"""A trained model in one folder, and the only door for weights.

    config.json, model.safetensors      the encoder; AutoModel.from_pretrained loads the folder
    tokenizer.json, tokenizer_config…   its tokenizer
    heads.safetensors                   the heads
    depesche.json                       labels, settings, thresholds, and where all of it came from
    SHA256SUMS                          what the files must hash to

Weights are read from safetensors alone, and only code of the installed libraries runs: a folder whose
configuration names code of its own is refused before anything of it is loaded.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel

from annotations import scheme
from annotations.formats.reading import write_whole
from pipeline.config import InputError
from pipeline.decoding import Thresholds
from pipeline.folder import CARD, EMBEDDED, HEADS, SUMS
from pipeline.model import Reader, Specials
from pipeline.settings import STORED, ModelSettings

# Keys by which a configuration could make the library run or fetch code.
_FORBIDDEN = ("auto_map", "_attn_implementation_internal", "trust_remote_code", "_target_")
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


def load_encoder(name: str, settings: ModelSettings) -> tuple[Reader, Tokenizer, Any]:
    """A reader with a pretrained encoder and fresh heads, from a folder or a hub name.

    Raises InputError where there is no such checkpoint, or its configuration is not to be trusted.
    """
    folder = Path(name)
    if folder.is_dir():
        _refuse_code(folder)
    try:
        encoder = AutoModel.from_pretrained(
            name, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
        hugging = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"encoder.name={name}: no encoder can be loaded from there: {first} "
            "Expected a folder with config.json, model.safetensors and tokenizer.json, or the name "
            "of a public checkpoint and a network."
        ) from error
    _check_room(encoder, settings)
    return Reader(encoder, settings, _specials(hugging)), _whole_texts(hugging), hugging


def random_encoder(folder: str, settings: ModelSettings) -> tuple[Reader, Tokenizer, Any]:
    """A reader whose encoder has the shape and the tokenizer of a folder, and random weights."""
    _refuse_code(Path(folder))
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    hugging = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    encoder = AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    return Reader(encoder, settings, _specials(hugging)), _whole_texts(hugging), hugging


def _whole_texts(hugging: Any) -> Tokenizer:
    """The tokenizer, told not to cut or pad to a length, as its folder may want: windows see to that."""
    tokenizer: Tokenizer = hugging.backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _specials(tokenizer: Any) -> Specials:
    pad = tokenizer.pad_token_id
    before = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
    after = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
    return Specials(0 if pad is None else int(pad), before, after, tokenizer.mask_token_id)


def _check_room(encoder: PreTrainedModel, settings: ModelSettings) -> None:
    room = getattr(encoder.config, "max_position_embeddings", None)
    # RoBERTa and its kin count positions from the padding id on.
    offset = 2 if encoder.config.model_type in {"roberta", "xlm-roberta", "camembert"} else 0
    if room is not None and settings.window + 2 + offset > room:
        raise InputError(
            f"head.window={settings.window}: the encoder has room for {room - 2 - offset} pieces; "
            f"use head.window={room - 2 - offset} or less"
        )


def _refuse_code(folder: Path) -> None:
    for file in sorted(folder.glob("*.json")):
        if file.name == "tokenizer.json":
            continue  # data of the Rust tokenizer: it names no code
        found = sorted(_forbidden_keys(json.loads(file.read_text("utf-8"))))
        if found:
            raise InputError(
                f"{file}: holds {', '.join(found)}, by which a checkpoint could run code of its own; "
                "remove the key if you trust the weights without it"
            )


def _forbidden_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        here = {key for key in value if key in _FORBIDDEN}
        return here.union(*(_forbidden_keys(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_forbidden_keys(item) for item in value))
    return set()


def save(model: Model, hugging: Any, folder: Path, dtype: str = "float32") -> None:
    """Write the folder, its sums last: a folder without them is not a whole model."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = _DTYPES[dtype]
    encoder_state = model.reader.encoder.state_dict()
    model.reader.encoder.save_pretrained(
        folder, state_dict={name: _stored(value, kind) for name, value in encoder_state.items()}
    )
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


def load(folder: Path) -> Model:
    """A trained model from its folder. Raises InputError where it is missing, damaged or too old."""
    digest = _verify(folder)
    _refuse_code(folder)
    card = json.loads((folder / CARD).read_text("utf-8"))
    labels = (card["entities"], card["relations"], card["modalities"])
    expected = (scheme.ENTITY_LABELS, scheme.RELATION_LABELS, scheme.MODALITIES)
    if labels != tuple(map(list, expected)):
        raise InputError(f"{folder / CARD}: its labels are not those of this scheme; retrain the model")
    reader, tokenizer, _ = load_encoder(str(folder), ModelSettings(**card["settings"]))
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
