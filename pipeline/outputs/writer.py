"""The files of a run, written while documents come in, and renamed together at the end."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import IO, TextIO

import orjson

from annotations.document import Annotation, Document
from annotations.formats.jsonl import to_record
from pipeline.outputs.table import RelationTable
from pipeline.text import Rejected

PREDICTIONS, GIVEN, RELATIONS, REJECTED = (
    "predictions.jsonl",
    "given.jsonl",
    "relations.csv",
    "rejected.jsonl",
)


@dataclass
class RunWriter:
    """Opens the files beside their final names; only an undisturbed end renames them."""

    folder: Path
    rejected: int = 0
    _open: dict[str, IO[bytes]] = field(default_factory=dict)
    _text: TextIO | None = None
    _table: RelationTable | None = None

    def __enter__(self) -> RunWriter:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (PREDICTIONS, GIVEN, REJECTED):
            self._open[name] = self._beside(name).open("wb")
        # The mark at the start lets spreadsheet programs read umlauts.
        self._text = self._beside(RELATIONS).open("w", encoding="utf-8-sig", newline="")
        self._table = RelationTable(self._text)
        return self

    def _beside(self, name: str) -> Path:
        return self.folder / f".{name}.{os.getpid()}.tmp"

    def write(self, document: Document, annotation: Annotation, given: Annotation | None) -> None:
        """One document that was read."""
        assert self._table is not None
        self._line(PREDICTIONS, document, annotation)
        if given is not None:
            self._line(GIVEN, document, given)
        self._table.write(document, annotation)

    def _line(self, name: str, document: Document, annotation: Annotation) -> None:
        record = to_record(replace(document, annotation=annotation), stand_off=False, scores=True)
        self._open[name].write(orjson.dumps(record) + b"\n")

    def reject(self, item: Rejected) -> None:
        """One document that was set aside."""
        self.rejected += 1
        record = {
            "id": item.id,
            "path": item.path,
            "line": item.line,
            "reason": item.reason,
            "detail": item.detail,
        }
        self._open[REJECTED].write(orjson.dumps(record) + b"\n")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        empty = {GIVEN} if not self._open[GIVEN].tell() else set()
        for stream in (*self._open.values(), self._text):
            if stream is not None:
                stream.flush()
                os.fsync(stream.fileno())
                stream.close()
        for name in (*self._open, RELATIONS):
            if kind is None and name not in empty:
                self._beside(name).replace(self.folder / name)
            else:
                self._beside(name).unlink(missing_ok=True)
        for name in empty if kind is None else ():
            (self.folder / name).unlink(missing_ok=True)  # of an earlier run
