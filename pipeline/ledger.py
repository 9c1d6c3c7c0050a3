"""What a run has read, and what it took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from annotations.document import Annotation, Document
from pipeline.pieces import PieceTable


@dataclass
class Ledger:
    """What went in, what came out, what was left out, and what it took. It must add up."""

    documents: int = 0
    characters: int = 0
    words: int = 0
    pieces: int = 0
    windows: int = 0
    pieces_encoded: int = 0  # windows overlap, and special pieces come on top; padding does not count
    pieces_truncated: int = 0  # without a vector; counted, and always 0: windows own every piece
    characters_without_piece: int = 0  # not white space, yet unknown to the tokenizer
    pairs_asked: int = 0
    mentions: int = 0
    relations: int = 0
    # By stage. Workers work at the same time, and wait for a GPU: together they may take longer than the run.
    seconds: dict[str, float] = field(default_factory=dict)

    def took(self, stage: str, since: float) -> float:
        """Add the time since ``since`` to a stage; returns now."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - since
        return now

    def count(
        self, documents: Sequence[Document], tables: Sequence[PieceTable], found: Sequence[Annotation]
    ) -> None:
        """Count some documents, and what was found in them."""
        self.documents += len(documents)
        for document, table, annotation in zip(documents, tables, found, strict=True):
            self.characters += len(document.text)
            self.words += len(table.word_starts)
            self.pieces += len(table)
            self.characters_without_piece += table.uncovered(document.text)
            self.mentions += len(annotation.mentions)
            self.relations += len(annotation.relations)

    def add(self, other: Ledger) -> None:
        """Everything that another ledger holds, too."""
        for stage, seconds in other.seconds.items():
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        for column in fields(self):
            if column.name != "seconds":
                setattr(self, column.name, getattr(self, column.name) + getattr(other, column.name))
