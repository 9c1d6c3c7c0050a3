"""A document as the encoder sees it: pieces with their offsets, words, sentences, paragraphs.

Tokenised once for all documents. Nothing is dropped: a character without a piece keeps its offset.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from annotations.document import Document
from pipeline import segments

Integers = NDArray[np.int64]
Words = Callable[[str], tuple[Integers, Integers]]  # starts and ends of the words of a text


@dataclass(frozen=True, slots=True)
class PieceTable:
    """The pieces of one document, and which words and sentences they stand in.

    All offsets are code points into the document's text; words point at pieces half-open.
    """

    ids: Integers  # [pieces]
    starts: Integers  # [pieces]
    ends: Integers  # [pieces]
    word_starts: Integers  # [words], code points
    word_ends: Integers  # [words]
    first_piece: Integers  # [words]
    last_piece: Integers  # [words], one past the last
    sentence_borders: Integers  # [sentences + 1], code points
    paragraph_borders: Integers  # [paragraphs + 1], code points

    def __len__(self) -> int:
        return len(self.ids)

    def uncovered(self, text: str) -> int:
        """How many characters that are no white space stand in no piece."""
        covered = np.zeros(len(text) + 1, dtype=np.int64)
        np.add.at(covered, self.starts, 1)
        np.add.at(covered, self.ends, -1)
        gaps = np.flatnonzero(np.cumsum(covered)[:-1] == 0)
        return sum(not text[position].isspace() for position in gaps.tolist())

    def sentence_of(self, position: Integers | int) -> Integers:
        """The number of the sentence that a character stands in."""
        return np.searchsorted(self.sentence_borders, position, side="right") - 1

    def pieces_of(self, start: int, end: int) -> tuple[int, int]:
        """The pieces that share a character with a span, half-open; at least one where any exists."""
        first, last = self.pieces_of_all(np.array([start]), np.array([end]))
        return int(first[0]), int(last[0])

    def pieces_of_all(self, starts: Integers, ends: Integers) -> tuple[Integers, Integers]:
        """``pieces_of`` for many spans at once: first pieces and ends, int64 [spans] each."""
        first = np.minimum(np.searchsorted(self.ends, starts, side="right"), len(self.ids) - 1)
        last = np.searchsorted(self.starts, ends, side="left")
        return first, np.maximum(last, first + 1)

    def words_of(self, start: int, end: int) -> tuple[int, int]:
        """The words that share a character with a span, half-open."""
        first = int(np.searchsorted(self.word_ends, start, side="right"))
        last = int(np.searchsorted(self.word_starts, end, side="left"))
        return first, max(last, first)


def between_blanks(text: str) -> tuple[Integers, Integers]:
    """The words of a corpus that gives them: whatever stands between blanks."""
    spans = [match.span() for match in re.finditer("[^ ]+", text)]
    table = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])


def tokenize(
    documents: Sequence[Document], tokenizer: Tokenizer, words: Words = segments.words
) -> list[PieceTable]:
    """Piece tables in the order of the documents; all segments go to the tokenizer in one call."""
    spans = [list(segments.segments(document.text)) for document in documents]
    texts = [
        document.text[start:end]
        for document, parts in zip(documents, spans, strict=True)
        for start, end in parts
    ]
    encodings = iter(tokenizer.encode_batch(texts, add_special_tokens=False))
    tables = []
    for document, parts in zip(documents, spans, strict=True):
        columns = [_columns(next(encodings), start) for start, _ in parts]
        table = np.concatenate(columns) if columns else np.zeros((0, 3), dtype=np.int64)
        tables.append(_piece_table(document, table, words))
    return tables


def whole_texts(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer, told not to cut or pad to a length, as its folder may want: windows see to that."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _columns(encoding: object, shift: int) -> Integers:
    ids = np.array(encoding.ids, dtype=np.int64)  # type: ignore[attr-defined]
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)  # type: ignore[attr-defined]
    table = np.column_stack((ids, offsets + shift))
    # A piece for a mere mark of a word's start (SentencePiece's "▁" alone) covers no character.
    return table[table[:, 1] < table[:, 2]]


def _piece_table(document: Document, table: Integers, words: Words) -> PieceTable:
    ids, starts, ends = (np.ascontiguousarray(column) for column in table.T)
    word_starts, word_ends = words(document.text)
    first = np.searchsorted(ends, word_starts, side="right")
    last = np.searchsorted(starts, word_ends, side="left")
    # A word without a piece of its own (a character that the tokenizer drops) borrows a neighbour.
    first = np.minimum(first, max(len(ids) - 1, 0))
    last = np.maximum(last, first + 1)
    return PieceTable(
        ids,
        starts,
        ends,
        word_starts,
        word_ends,
        first,
        last,
        segments.sentences(document.text, document.language),
        segments.paragraphs(document.text),
    )
