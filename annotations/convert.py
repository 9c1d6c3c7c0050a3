"""From one format to another: ``python -m annotations.convert SOURCE [SOURCE ...] TARGET``.

A target that ends in .jsonl is one file with all documents; any other is a folder that gets one .inline
file a document. Nothing is written while anything is wrong with a source.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from annotations.command import open_documents
from annotations.formats import inline, jsonl
from annotations.formats.reading import file_name


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert. Returns 1 with every problem printed where a source is wrong, 2 where it is missing."""
    parser = argparse.ArgumentParser(prog="annotations.convert", description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path, help="files or folders (.jsonl, .inline)")
    parser.add_argument("target", type=Path, help="a .jsonl file, or a folder for .inline files")
    parser.add_argument("--articles", type=Path, help="folder with the texts of stand-off files")
    parser.add_argument("--stand-off", action="store_true", help="leave the texts out (.jsonl)")
    options = parser.parse_args(arguments)
    documents = open_documents(options.sources, options.articles)
    if isinstance(documents, int):
        return documents
    if options.target.suffix == jsonl.SUFFIX:
        jsonl.write_jsonl(options.target, documents, stand_off=options.stand_off)
    else:
        names: dict[str, str] = {}
        for document in documents:
            name = file_name(document.id) + inline.SUFFIX
            if name in names:
                both = f"{names[name]!r} and {document.id!r}"
                print(f"{both} would both be written to {name}; rename one", file=sys.stderr)
                return 1
            names[name] = document.id
        for name, document in zip(names, documents, strict=True):
            inline.write_inline(options.target / name, document)
    print(f"{len(documents)} document(s) written to {options.target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
