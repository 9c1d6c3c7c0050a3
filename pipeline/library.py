"""Encoders and tokenizers as transformers loads them: from a folder, or from the hub by name.

Only code of the installed library runs: a folder whose configuration names code of its own is refused
before anything of it is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel

from pipeline.config import InputError
from pipeline.model import Reader, Specials
from pipeline.pieces import whole_texts
from pipeline.settings import ModelSettings
from pipeline.trust import refuse_code


def load_encoder(name: str, settings: ModelSettings) -> tuple[Reader, Tokenizer, Any]:
    """A reader with a pretrained encoder and fresh heads, from a folder or a hub name.

    Raises InputError where there is no such checkpoint, or its configuration is not to be trusted.
    """
    folder = Path(name)
    if folder.is_dir():
        refuse_code(folder)
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
    return Reader(encoder, settings, _specials(hugging)), whole_texts(hugging.backend_tokenizer), hugging


def random_encoder(folder: str, settings: ModelSettings) -> tuple[Reader, Tokenizer, Any]:
    """A reader whose encoder has the shape and the tokenizer of a folder, and random weights."""
    refuse_code(Path(folder))
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    hugging = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    encoder = AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    return Reader(encoder, settings, _specials(hugging)), whole_texts(hugging.backend_tokenizer), hugging


def attend_by_products(encoder: PreTrainedModel, device: torch.device) -> None:
    """For training in bfloat16: on processors, fused attention multiplies it no faster than float32.

    Plain products do: a step takes four fifths of the time. The answer is the same but for rounding.
    """
    if device.type == "cpu":
        encoder.set_attn_implementation("eager")


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
