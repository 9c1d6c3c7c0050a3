"""Documents in, annotations out: cut, encode, stitch, decode, relate. One way, nothing written back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch

from annotations.document import Annotation, Document
from pipeline import decoding, pairs, relating, windows
from pipeline.checkpoint import Model
from pipeline.engines.base import Engine, is_out_of_memory
from pipeline.ledger import Ledger
from pipeline.ordered import Job, in_order
from pipeline.pieces import PieceTable, tokenize

_CHARACTERS = 4  # of a piece, about
AskedPair = tuple[tuple[int, int], tuple[int, int]]  # spans of head and tail, code points


@dataclass(frozen=True, slots=True)
class Failed:
    """A document whose reading went wrong, alone; all others go on."""

    document: Document
    reason: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """A document, what the model reads in it, and, where it has gold, what it makes of gold mentions."""

    document: Document
    annotation: Annotation
    given: Annotation | None = None
    asked: frozenset[AskedPair] = frozenset()  # among gold mentions: what could be found at all


Work = tuple[list[Predicted | Failed], Ledger]  # what became of a chunk


@dataclass
class Predictor:
    """A model and an engine, ready to read."""

    model: Model
    engine: Engine
    chunk: int | None = None  # about so many pieces are worked on together; None: as many as suit the engine
    ledger: Ledger = field(default_factory=Ledger)

    def read(self, documents: Iterable[Document]) -> Iterator[Predicted | Failed]:
        """A result for each document, in order. As many chunks are read at a time as the engine wants."""
        characters = (self.chunk or self.engine.chunk) * _CHARACTERS
        jobs = self._jobs(_chunks(documents, characters), 2 * characters)
        for results, ledger in in_order(jobs, self.engine.workers, torch.get_num_threads()):
            self.ledger.add(ledger)
            yield from results

    def _jobs(self, chunks: Iterator[list[Document]], long: int) -> Iterator[Job[Work]]:
        """A job for each chunk. A lone one, and one of more than so many characters, gets all threads."""
        chunk, number = next(chunks, None), 0
        while chunk is not None:
            following = next(chunks, None)
            lone = number == 0 and following is None
            size = sum(len(document.text) for document in chunk)
            yield Job(partial(self._work, chunk), alone=lone or size > long)
            chunk, number = following, number + 1

    def _work(self, documents: Sequence[Document]) -> Work:
        ledger = Ledger()
        return list(self._read_chunk(documents, ledger)), ledger

    def _read_chunk(self, documents: Sequence[Document], ledger: Ledger) -> Iterator[Predicted | Failed]:
        results = self._try(documents, ledger)
        if not isinstance(results, str):
            yield from results
        elif len(documents) == 1:
            yield Failed(documents[0], results)
        else:
            # One of them is to blame, or there were too many for the memory: alone, it is set aside.
            middle = len(documents) // 2
            yield from self._read_chunk(documents[:middle], ledger)
            yield from self._read_chunk(documents[middle:], ledger)

    def _try(self, documents: Sequence[Document], ledger: Ledger) -> list[Predicted] | str:
        """The results of a chunk, or what went wrong: the error itself would hold the chunk's tensors."""
        since = time.perf_counter()
        try:
            tables = tokenize(documents, self.model.tokenizer)
        except (TypeError, ValueError) as error:  # text without a UTF-8 form
            return f"{type(error).__name__}: {error}"
        ledger.took("tokenise", since)
        try:
            return self._predict(documents, tables, ledger)
        except (decoding.NotFiniteError, MemoryError, RuntimeError) as error:
            if not isinstance(error, decoding.NotFiniteError) and not is_out_of_memory(error):
                raise
            return f"{type(error).__name__}: {error}"

    @torch.inference_mode()
    def _predict(
        self, documents: Sequence[Document], tables: Sequence[PieceTable], ledger: Ledger
    ) -> list[Predicted]:
        reader = self.model.reader
        since = time.perf_counter()
        lengths = [len(table) for table in tables]
        cuts = windows.cut_all(lengths, reader.settings.window, reader.settings.overlap)
        ids = windows.slices(cuts, [table.ids for table in tables])
        vectors = windows.stitch(cuts, self.engine.encode(ids), reader.width)
        since = ledger.took("encode", since)
        found = decoding.decode_mentions(reader, vectors, documents, tables, self.model.thresholds)
        since = ledger.took("decode", since)
        annotations, asked = relating.decode_relations(reader, vectors, tables, found, self.model.thresholds)
        given = self._given(documents, tables, vectors)
        reachable = [self._asked(document, table) for document, table in zip(documents, tables, strict=True)]
        ledger.took("relate", since)
        ledger.count(documents, tables, annotations)
        ledger.windows += len(cuts)
        ledger.pieces_encoded += sum(len(cut) + reader.specials.around() for cut in cuts)
        ledger.pieces_truncated += sum(lengths) - len(vectors)
        ledger.pairs_asked += asked
        return [
            Predicted(document, annotation, gold, pairs_of_gold)
            for document, annotation, gold, pairs_of_gold in zip(
                documents, annotations, given, reachable, strict=True
            )
        ]

    def _given(
        self, documents: Sequence[Document], tables: Sequence[PieceTable], vectors: torch.Tensor
    ) -> list[Annotation | None]:
        """Relations on the gold mentions of those documents that have gold: the same code, other mentions."""
        if all(document.annotation is None for document in documents):
            return [None] * len(documents)
        gold = [document.annotation.mentions if document.annotation else () for document in documents]
        annotations, _ = relating.decode_relations(
            self.model.reader, vectors, tables, gold, self.model.thresholds
        )
        return [
            annotation if document.annotation is not None else None
            for document, annotation in zip(documents, annotations, strict=True)
        ]

    def _asked(self, document: Document, table: PieceTable) -> frozenset[AskedPair]:
        """The pairs of gold mentions that are asked about: a gold relation between others is out of reach."""
        if document.annotation is None or not len(table):
            return frozenset()
        mentions = pairs.mention_table(document.annotation.mentions, table)
        found = pairs.ask(mentions, self.model.reader.settings.reach)
        spans = [(mention.start, mention.end) for mention in mentions.mentions]
        rows = zip(found.head.tolist(), found.tail.tolist(), strict=True)
        return frozenset((spans[head], spans[tail]) for head, tail in rows)


def _chunks(documents: Iterable[Document], characters: int) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    size = 0
    for document in documents:
        chunk.append(document)
        size += len(document.text)
        if size >= characters:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
