"""The sentences in which a relation stands."""

from __future__ import annotations

import numpy as np

from annotations.document import Document, Relation
from pipeline import segments

Borders = segments.Offsets


def sentence_borders(document: Document) -> Borders:
    """Borders of the document's sentences, in code points."""
    return segments.sentences(document.text, document.language)


def evidence(document: Document, relation: Relation, borders: Borders) -> str:
    """The text from the sentence of the earlier mention to that of the later one, on one line."""
    first = min(relation.head.start, relation.tail.start)
    last = max(relation.head.end, relation.tail.end) - 1
    start = int(borders[np.searchsorted(borders, first, side="right") - 1])
    end = int(borders[np.searchsorted(borders, last, side="right")])
    return " ".join(document.text[start:end].split())
