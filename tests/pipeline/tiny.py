"""A model of a few thousand parameters, made on the spot, for tests in which a model is in the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel, WordPiece
from tokenizers.pre_tokenizers import Sequence, Split, Whitespace
from transformers import BertConfig, BertModel, ModernBertConfig, ModernBertModel, PreTrainedTokenizerFast

from annotations.document import Annotation
from pipeline.checkpoint import Model, Origin
from pipeline.decoding import Thresholds
from pipeline.library import load_encoder
from pipeline.settings import ModelSettings

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SETTINGS = ModelSettings(hidden=16, dropout=0.1, window=24, overlap=8, reach=1)
SENTENCE = "Der litauische Präsident Jonas Vaitkus traf am Montag in Riga die Kreml Sprecherin Laut Moskau"


def tokenizer(folder: Path) -> None:
    """Whole words where known, single characters elsewhere."""
    characters = [chr(code) for code in [*range(33, 127), *map(ord, "äöüÄÖÜß„“€")]]
    vocabulary = dict.fromkeys([*SPECIALS, *SENTENCE.split(), *characters, *(f"##{c}" for c in characters)])
    numbered = {piece: number for number, piece in enumerate(vocabulary)}
    model = Tokenizer(WordPiece(numbered, unk_token="[UNK]"))
    model.pre_tokenizer = Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=model,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)


def character_tokenizer() -> Tokenizer:
    """A piece a character that is no white space: offsets are easy to know."""
    model = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    model.pre_tokenizer = Sequence([Split(Regex(r"\s"), "removed"), Split(Regex(r"."), "isolated")])
    return model


def encoder(folder: Path, kind: str = "modernbert", spread: float = 0.02) -> Path:
    """A folder as a public checkpoint has it: configuration, weights of that spread, tokenizer."""
    torch.manual_seed(5)
    tokenizer(folder)
    shape = {
        "vocab_size": 400,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
        "initializer_range": spread,
    }
    if kind == "bert":
        BertModel(BertConfig(**shape)).save_pretrained(folder)
    else:
        special = {"cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
        ModernBertModel(ModernBertConfig(**shape, **special)).save_pretrained(folder)
    return folder


def model(folder: Path, thresholds: Thresholds | None = None) -> Model:
    """A model with random weights."""
    torch.manual_seed(7)
    # So large that neighbours matter: no two mentions are read alike.
    reader, pieces, _ = load_encoder(str(encoder(folder, spread=0.5)), SETTINGS)
    # Large weights: scores far from one another, so that nothing hangs on the last digit.
    for head in (reader.outer, reader.inner):
        torch.nn.init.normal_(head.score.weight, std=2.0)
    torch.nn.init.normal_(reader.relations.relation.weight, std=2.0)
    torch.nn.init.zeros_(reader.relations.relation.bias)
    for pointer in reader.relations.pointers.values():
        torch.nn.init.normal_(pointer.key.weight, std=2.0)
        torch.nn.init.normal_(pointer.bucket.weight, std=2.0)
    return Model(reader.eval(), pieces, thresholds or Thresholds(), Origin(), "")


def alike(first: Annotation, second: Annotation) -> None:
    """The same mentions and relations, with the same arguments, and scores within 1e-4."""
    assert first == second
    pairs = [*zip(first.mentions, second.mentions, strict=True)]
    assert all(abs(a.score - b.score) < 1e-4 for a, b in pairs)
    for a, b in zip(first.relations, second.relations, strict=True):
        assert (a.modality, a.source, a.time, a.place) == (b.modality, b.source, b.time, b.place)
        assert abs(a.score - b.score) < 1e-4


def windows(seed: int, count: int) -> list[np.ndarray]:
    """So many windows of pieces, of lengths that vary."""
    random = np.random.default_rng(seed)
    return [random.integers(5, 400, size=int(n)) for n in random.integers(1, 25, size=count)]
