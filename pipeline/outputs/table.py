"""relations.csv: one relation a row, for spreadsheets and statistics."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from annotations.document import Annotation, Document, Mention
from pipeline.outputs.evidence import evidence, sentence_borders

COLUMNS = (
    "document",
    "date",
    "head",
    "head_label",
    "relation",
    "tail",
    "tail_label",
    "modality",
    "source",
    "time",
    "place",
    "score",
    "head_score",
    "tail_score",
    "head_start",
    "head_end",
    "tail_start",
    "tail_end",
    "evidence",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class RelationTable:
    """Writes rows into an open text stream; the header comes first."""

    def __init__(self, stream: TextIO) -> None:
        self._writer = csv.writer(stream)
        self._writer.writerow(COLUMNS)

    def write(self, document: Document, annotation: Annotation) -> None:
        """The rows of one document."""
        self._writer.writerows(map(_neutral, row) for row in rows(document, annotation))


def rows(document: Document, annotation: Annotation) -> Iterator[list[str]]:
    """The cells of each relation, in the order of COLUMNS."""
    if not annotation.relations:
        return
    borders = sentence_borders(document)

    def surface(mention: Mention | None) -> str:
        return " ".join(document.surface(mention).split()) if mention else ""

    for relation in sorted(annotation.relations):
        head, tail = relation.head, relation.tail
        yield [
            document.id,
            document.date or "",
            surface(head),
            head.label,
            relation.label,
            surface(tail),
            tail.label,
            relation.modality,
            surface(relation.source),
            surface(relation.time),
            surface(relation.place),
            f"{relation.score:.4f}",
            f"{head.score:.4f}",
            f"{tail.score:.4f}",
            str(head.start),
            str(head.end),
            str(tail.start),
            str(tail.end),
            evidence(document, relation, borders),
        ]


def _neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
