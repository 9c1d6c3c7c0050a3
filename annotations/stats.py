"""Counts of a corpus as Markdown tables: ``python -m annotations.stats PATH ...``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from annotations import scheme
from annotations.command import open_documents
from annotations.document import Document


def tables(documents: Sequence[Document]) -> str:
    """Sizes, mentions per label and layer, relations per label and modality."""
    outer: Counter[str] = Counter()
    inner: Counter[str] = Counter()
    relations: Counter[tuple[str, str]] = Counter()
    for document in documents:
        if document.annotation is None:
            continue
        layers = document.annotation.layers()
        outer.update(mention.label for mention in layers[0])
        inner.update(mention.label for mention in layers[1])
        relations.update((r.label, r.modality) for r in document.annotation.relations)
    return "\n\n".join(
        (_sizes(documents, outer, inner, relations), _labels(outer, inner), _relations(relations))
    )


def _sizes(
    documents: Sequence[Document],
    outer: Counter[str],
    inner: Counter[str],
    relations: Counter[tuple[str, str]],
) -> str:
    words = sum(len(document.text.split()) for document in documents)
    sourced = sum(
        relation.source is not None
        for document in documents
        if document.annotation
        for relation in document.annotation.relations
    )
    head = "| documents | words | outer mentions | inner mentions | relations | with a source |"
    row = (len(documents), words, outer.total(), inner.total(), relations.total(), sourced)
    return "\n".join((head, _rule(6), _row(*row)))


def _labels(outer: Counter[str], inner: Counter[str]) -> str:
    rows = [_row(label, outer[label], inner[label]) for label in scheme.ENTITY_LABELS]
    return "\n".join(("| label | outer | inner |", _rule(3), *rows))


def _relations(relations: Counter[tuple[str, str]]) -> str:
    rows = []
    for label in scheme.RELATION_LABELS:
        counts = [relations[label, modality] for modality in scheme.MODALITIES]
        rows.append(_row(label, sum(counts), *counts))
    for title, labels in (
        ("the six", scheme.STATIC_RELATIONS),
        ("the ten", scheme.ACTOR_RELATIONS),
    ):
        counts = [sum(relations[label, m] for label in labels) for m in scheme.MODALITIES]
        rows.append(_row(title, sum(counts), *counts))
    return "\n".join((_row("relation", "all", *scheme.MODALITIES), _rule(7), *rows))


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables. Returns 1 with every problem printed where a file is wrong, 2 where it is missing."""
    parser = argparse.ArgumentParser(prog="annotations.stats", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="files or folders (.jsonl, .inline)")
    parser.add_argument("--articles", type=Path, help="folder with the texts of stand-off files")
    options = parser.parse_args(arguments)
    documents = open_documents(options.paths, options.articles)
    if isinstance(documents, int):
        return documents
    print(tables(documents))
    return 0


if __name__ == "__main__":
    sys.exit(main())
