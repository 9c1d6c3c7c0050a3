"""What the commands on corpora share: paths that must exist, texts of stand-off files, problems in full."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from annotations.corpus import read_corpus, read_texts
from annotations.document import Document
from annotations.problems import CorpusError


def open_texts(paths: Sequence[Path], articles: Path | None) -> dict[str, str] | int:
    """The texts of stand-off files by SHA-256; or 2, with every path that is missing printed."""
    missing = [path for path in (*paths, articles) if path and not path.exists()]
    if missing:
        print("\n".join(f"{path}: no such file or folder" for path in missing), file=sys.stderr)
        return 2
    return read_texts(articles) if articles else {}


def open_documents(paths: Sequence[Path], articles: Path | None) -> list[Document] | int:
    """All documents of all paths; or 2 like open_texts, or 1 with every problem printed."""
    texts = open_texts(paths, articles)
    if isinstance(texts, int):
        return texts
    try:
        return [document for path in paths for document in read_corpus(path, texts)]
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
