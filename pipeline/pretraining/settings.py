"""What a pretraining run is told."""

from __future__ import annotations

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class Encoder:
    """The shape of the encoder; ``width`` and ``inner`` are numbers of features, ``length`` of pieces."""

    layers: int = MISSING
    width: int = MISSING
    heads: int = MISSING
    inner: int = MISSING
    length: int = MISSING
    positions: str = MISSING  # a key of model.POSITIONS


@dataclass
class Vectors:
    """What the embeddings start from; ``contexts: 0`` starts them at random."""

    contexts: int = MISSING  # frequent pieces that are counted as neighbours
    reach: int = MISSING  # pieces to each side
    scale: float = MISSING  # standard deviation of a feature


@dataclass
class Objective:
    """How the encoder is asked."""

    hidden: float = MISSING  # share of words
    candidates: int = MISSING  # pieces that compete with the right one, about; 0: all
    rows: int = MISSING  # in a batch
    width: int = MISSING  # pieces in a row, with [CLS] and [SEP]


@dataclass
class Schedule:
    """Rates and when they hold: a rise, a level, a fall to nothing; shares of the whole run."""

    optimizer: str = MISSING  # a key of optimizers.OPTIMIZERS
    rate: float = MISSING  # of embeddings, head and norms, and of everything under adamw
    matrix_rate: float = MISSING  # of the matrices of the layers, under muon
    decay: float = MISSING  # of weights of matrices, a step, times the rate
    clip: float = MISSING  # longest gradient
    rise: float = MISSING
    fall: float = MISSING


@dataclass
class Pretrain:
    """Settings of ``python -m pipeline.pretrain``."""

    corpora: str = MISSING
    output: str = MISSING
    sources: dict[str, float] = MISSING  # text/NAME.txt.xz: how often a round reads it
    held_out: float = MISSING  # share of documents
    start: str | None = MISSING  # folder of an encoder to go on from: its tokenizer, shape and weights
    vocabulary: int = MISSING
    encoder: Encoder = MISSING
    vectors: Vectors = MISSING
    objective: Objective = MISSING
    schedule: Schedule = MISSING
    seed: int = MISSING
    budget_minutes: float | None = None  # of training: one of the two
    budget_steps: int | None = None
    precision: str = "bf16"  # or "no"
    compile: bool = True
    checkpoint_minutes: float = 5.0
    evaluation_rows: int = 48  # of held-out text, from each source
    progress_seconds: float = 10.0

    def __post_init__(self) -> None:
        if (self.budget_minutes is None) == (self.budget_steps is None):
            raise ValueError("give budget_minutes=NUMBER or budget_steps=NUMBER, and not both")
