"""The weights of a ModernBERT without the library: what the packed pass (pipeline/engines/packed.py) reads.

Importing transformers takes longer than reading an article with a small encoder. Names of modules and of
weights are the library's, so that either encoder fits its checkpoints; only the library's can be trained.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn

from pipeline.model import Reader, Specials
from pipeline.pieces import whole_texts
from pipeline.settings import ModelSettings

# What the configuration must say: older ones leave some of it to the library's defaults.
_KEYS = {
    *("attention_bias", "hidden_activation", "hidden_size", "intermediate_size", "layer_types", "mlp_bias"),
    *("max_position_embeddings", "norm_bias", "norm_eps", "num_attention_heads", "num_hidden_layers"),
    *("pad_token_id", "rope_parameters", "vocab_size"),
}


def fits(config: Any, window: int) -> bool:
    """Whether the packed pass computes what the library would for windows of so many pieces at most."""
    if config.model_type != "modernbert" or config.hidden_activation != "gelu":
        return False
    plain = all(
        config.rope_parameters[kind].get("rope_type") == "default" for kind in set(config.layer_types)
    )
    # A layer that looks only so far to either side looks at everything in a window that is shorter.
    return plain and all(
        kind == "full_attention" or window <= config.sliding_window for kind in config.layer_types
    )


class ModernBert(nn.Module):
    """Configuration and weights; its forward pass is packed.PackedForward."""

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.embeddings = nn.Module()
        # Drawing random numbers on the meta device would import PyTorch's compiler: a second.
        table = torch.empty(config.vocab_size, width)
        embedding = nn.Embedding.from_pretrained(table, padding_idx=config.pad_token_id)  # type: ignore[no-untyped-call]
        self.embeddings.tok_embeddings = embedding
        self.embeddings.norm = _norm(config)
        self.layers = nn.ModuleList(_layer(config, number) for number in range(config.num_hidden_layers))
        self.final_norm = _norm(config)

    def get_input_embeddings(self) -> nn.Module:
        """The table of pieces, as the library gives it out."""
        return cast(nn.Module, self.embeddings.tok_embeddings)


def _norm(config: SimpleNamespace) -> nn.LayerNorm:
    return nn.LayerNorm(config.hidden_size, eps=config.norm_eps, bias=config.norm_bias)


def _layer(config: SimpleNamespace, number: int) -> nn.Module:
    width, inner = config.hidden_size, config.intermediate_size
    layer = nn.Module()
    layer.attention_type = config.layer_types[number]
    layer.attn_norm = _norm(config) if number else nn.Identity()  # the first comes from a norm already
    layer.attn = nn.Module()
    layer.attn.Wqkv = nn.Linear(width, 3 * width, bias=config.attention_bias)
    layer.attn.Wo = nn.Linear(width, width, bias=config.attention_bias)
    layer.mlp_norm = _norm(config)
    layer.mlp = nn.Module()
    layer.mlp.Wi = nn.Linear(width, 2 * inner, bias=config.mlp_bias)
    layer.mlp.Wo = nn.Linear(inner, width, bias=config.mlp_bias)
    return layer


def read(folder: Path, settings: ModelSettings) -> tuple[Reader, Tokenizer] | None:
    """A reader with fresh heads and the tokenizer of a folder; None where the library must load them."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    described = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    if config.get("model_type") != "modernbert" or not config.keys() >= _KEYS:
        return None
    if described.get("tokenizer_class") != "TokenizersBackend" or described.get("split_special_tokens"):
        return None
    if set(config["layer_types"]) != {"full_attention"}:
        return None
    tokenizer = whole_texts(Tokenizer.from_file(str(folder / "tokenizer.json")))
    specials = _specials(tokenizer, described)
    room, shape = settings.window + specials.around(), SimpleNamespace(**config)
    if not fits(shape, room) or room > shape.max_position_embeddings:
        return None
    encoder = _weights(folder / "model.safetensors", shape)
    return None if encoder is None else (Reader(encoder, settings, specials), tokenizer)


def _weights(file: Path, config: SimpleNamespace) -> ModernBert | None:
    with torch.device("meta"):
        encoder = ModernBert(config)
    try:
        state = {name: value.float() for name, value in load_file(file).items()}
        encoder.load_state_dict(state, assign=True)
    except (OSError, RuntimeError, SafetensorError):
        return None  # whatever is wrong, the library says it better
    return encoder


def _specials(tokenizer: Tokenizer, described: dict[str, Any]) -> Specials:
    def number(*kinds: str) -> int | None:
        named = (described.get(f"{kind}_token") for kind in kinds)
        texts = [
            token["content"] if isinstance(token, dict) else token for token in named if token is not None
        ]
        return tokenizer.token_to_id(texts[0]) if texts else None

    return Specials(number("pad") or 0, number("cls", "bos"), number("sep", "eos"), number("mask"))
