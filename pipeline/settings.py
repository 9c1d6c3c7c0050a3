"""The settings of training, typed. Nothing here needs torch before something is built."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.corpora import CorpusSettings
from pipeline.folder import CARD, EMBEDDED
from pipeline.versions import file_sha256

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from pipeline.model import Reader

EMBEDDED_NAME = "embedded"
STORED = ("float32", "bfloat16")  # how a checkpoint may hold its weights
PRECISIONS = ("no", "bf16")


@dataclass
class ModelSettings:
    """The shape of the heads and the windows: what must be the same when a trained model is loaded."""

    hidden: int
    dropout: float
    window: int  # pieces of a document in one window, special ones not counted
    overlap: int  # pieces that neighbouring windows share
    reach: int  # sentences between the two mentions of a pair that is asked about


@dataclass
class LossWeights:
    """How much each question counts."""

    outer: float
    inner: float
    relation: float
    modality: float
    pointer: float


@dataclass
class Optimization:
    """How the weights are moved. Every one of these changes scores: they stand in YAML."""

    epochs: int
    documents: int  # in a batch
    encoder_rate: float
    embedding_rate: float  # of the bare pieces; 0: they stay as they were pretrained
    head_rate: float
    decay: float
    warmup: float  # share of the steps
    clip: float
    patience: int  # epochs without a better development score; 0: never stop early
    hidden: float  # share of the pieces that the encoder does not get to see in training
    precision: str  # of the encoder's arithmetic in training: no (float32) or bf16
    weights: LossWeights

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"optimization.precision={self.precision}: expected one of {', '.join(PRECISIONS)}"
            )


@dataclass
class EncoderSettings:
    """A checkpoint to start from: a folder, a hub name, or ``embedded`` for the one that ships."""

    name: str
    random: bool = False  # its shape and tokenizer, but random weights: for comparison

    def build(self, settings: ModelSettings) -> tuple[Reader, Tokenizer, Any]:
        """The reader with fresh heads, and its tokenizer in both forms. Raises InputError."""
        from pipeline.library import load_encoder, random_encoder

        load = random_encoder if self.random else load_encoder
        return load(self.folder(), settings)

    def folder(self) -> str:
        """The folder or hub name."""
        return str(EMBEDDED) if self.name == EMBEDDED_NAME else self.name

    def weights(self) -> str:
        """The SHA-256 of the weights where they lie in a folder; else the name alone says which they are."""
        file = Path(self.folder()) / "model.safetensors"
        return file_sha256(file) if file.is_file() and not self.random else ""

    def trained_on(self) -> tuple[str, ...]:
        """The texts that the encoder was already trained on with labels, if it says so."""
        card = Path(self.folder()) / CARD
        if self.random or not card.is_file():
            return ()
        return tuple(json.loads(card.read_text("utf-8"))["trained_on"])


@dataclass
class TrainSettings:
    """configs/train.yaml."""

    output: str
    corpora: dict[str, CorpusSettings]
    encoder: EncoderSettings
    head: ModelSettings
    optimization: Optimization
    seeds: list[int]
    protocol: str
    mix_weight: float  # how much the loss of a corpus in mix counts
    mix: dict[str, float] = field(default_factory=dict)  # of another scheme's corpus, by its name in corpora:
    # how many documents of it are seen per document of ours
    labelled: str | None = None  # folder with the labelled corpora, for corpus=germeval2014 and the like
    leave_out: str | None = None  # the corpus whose documents take turns under leave_one_out
    articles: str | None = None  # folder with the texts of the five articles
    weights: str = "float32"  # how the checkpoint stores them; bfloat16 halves it
    threads: int | None = None  # of the processor; None: torch's own choice
    trackers: list[str] = field(default_factory=lambda: ["tensorboard"])  # keys of tracking.TRACKERS
    notes: dict[str, str] = field(default_factory=dict)  # kept with the model

    def __post_init__(self) -> None:
        if self.weights not in STORED:
            raise ValueError(f"weights={self.weights}: expected one of {', '.join(STORED)}")
        _require_seeds(self.seeds)
        _require_learned(self.encoder, self.optimization)


def _require_learned(encoder: EncoderSettings, optimization: Optimization) -> None:
    if encoder.random and not optimization.embedding_rate:
        raise ValueError(
            "encoder.random=true with optimization.embedding_rate=0: random embeddings would stay random; "
            f"give a rate, such as {optimization.encoder_rate}"
        )


def _require_seeds(seeds: list[int]) -> None:
    if not seeds or len(seeds) > len(set(seeds)):
        raise ValueError(f"seeds={seeds}: expected at least one, and none twice")


@dataclass
class GermevalSettings:
    """configs/germeval.yaml."""

    output: str
    corpora: dict[str, CorpusSettings]
    encoder: EncoderSettings
    head: ModelSettings
    optimization: Optimization
    seeds: list[int]
    mix_weight: float  # how much the loss of a corpus in mix counts
    mix: dict[str, float] = field(default_factory=dict)  # how many documents of a corpus, by its name in
    # corpora, are seen per sentence of GermEval: all of corpora but GermEval itself
    labelled: str | None = None  # folder with the labelled corpora
    share: float = 1.0  # of the sentences that are there to learn from, evenly taken: for a learning curve
    articles: str | None = None  # folder with the texts of the five articles
    threads: int | None = None  # of the processor; None: torch's own choice

    def __post_init__(self) -> None:
        _require_seeds(self.seeds)
        _require_learned(self.encoder, self.optimization)
        if not 0 < self.share <= 1:
            raise ValueError(f"share={self.share}: expected more than 0 and at most 1")
