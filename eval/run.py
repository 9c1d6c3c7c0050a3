"""Score a prediction against gold: ``python -m eval.run GOLD PREDICTED``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from annotations.corpus import FORMATS, read_corpus, read_texts
from annotations.document import Document, text_sha256
from annotations.formats.reading import write_whole
from annotations.problems import CorpusError
from eval.align import AlignmentError, align
from eval.report import markdown
from eval.report.record import to_record
from eval.scoring import Conditions, Report, evaluate

__all__ = ["Conditions", "Report", "evaluate", "main", "read_documents", "write_report"]
PREDICTIONS, GIVEN = "predictions.jsonl", "given.jsonl"


class InputError(ValueError):
    """A path that is not there, or holds nothing to read: one line for each."""


def write_report(report: Report, folder: Path) -> None:
    """Leave report.json, report.md and report.html in the folder, each whole or not at all."""
    from eval.report import html

    write_whole(folder / "report.json", orjson.dumps(to_record(report), option=orjson.OPT_APPEND_NEWLINE))
    write_whole(folder / "report.md", markdown.render(report).encode("utf-8"))
    write_whole(folder / "report.html", html.render(report).encode("utf-8"))


def read_documents(path: Path, texts: dict[str, str]) -> tuple[Document, ...]:
    """The documents of a file or folder in any format; of the folder of a run, its predictions.

    Raises InputError where there is nothing to read, CorpusError with all problems of what is there.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_dir() and (path / PREDICTIONS).exists():
        path = path / PREDICTIONS
    expected = ", ".join(FORMATS)
    if path.is_file() and path.suffix not in FORMATS:
        raise InputError(f"{path}: unknown format {path.suffix!r}; expected {expected}")
    documents = read_corpus(path, texts)
    if not documents:
        raise InputError(f"{path}: holds no documents; expected files of {expected}")
    return documents


def parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    found = argparse.ArgumentParser(prog="eval.run", description=__doc__)
    found.add_argument("gold", type=Path, metavar="GOLD", help="annotated documents: a file or folder")
    found.add_argument("predicted", type=Path, metavar="PREDICTED", help="predictions, or a run")
    found.add_argument("--given", type=Path, help="relations predicted on the mentions of gold")
    found.add_argument("--articles", type=Path, help="folder with the texts of stand-off files")
    found.add_argument("--output", type=Path, help="folder for report.json, report.md, report.html")
    found.add_argument("--limit", type=_positive, help="score only the first so many documents of gold")
    found.add_argument("--split", default="all", help="name of the split, for the signature")
    found.add_argument("--name", help="name of the run, for the title")
    return found


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} documents; expected at least 1")
    return number


def report_of(options: argparse.Namespace) -> Report:
    """Read what the options name and score it. Raises InputError, CorpusError, AlignmentError."""
    if options.articles is not None and not options.articles.is_dir():
        raise InputError(f"{options.articles}: no such folder")
    texts = read_texts(options.articles) if options.articles else {}
    predicted = read_documents(options.predicted, texts)
    # A prediction carries its text, so that stand-off gold can be read without the articles.
    texts |= {text_sha256(document.text): document.text for document in predicted}
    gold = read_documents(options.gold, texts)
    given, notes = _given(options, gold, texts)
    name = options.name or options.predicted.resolve().name
    return evaluate(gold, predicted, given, Conditions(name, options.split, options.limit, notes))


def _given(
    options: argparse.Namespace, gold: Sequence[Document], texts: dict[str, str]
) -> tuple[tuple[Document, ...] | None, tuple[str, ...]]:
    """What --given names, else what the run kept, where that was made on the mentions of this gold."""
    if options.given:
        return read_documents(options.given, texts), ()
    kept = options.predicted / GIVEN
    if not kept.is_file() or not kept.stat().st_size:
        return None, ()
    given = read_documents(kept, texts)
    try:
        align(gold, (), given)
    except AlignmentError:
        return None, (f"{GIVEN} of the run was made on other mentions than those of gold, and is not used",)
    return given, ()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the headline scores, and write the report where --output says. 2 where the input is unusable."""
    options = parser().parse_args(arguments)
    try:
        report = report_of(options)
    except (InputError, AlignmentError, CorpusError, UnicodeDecodeError) as error:
        for line in str(error).splitlines():
            print(f"eval.run: {line}", file=sys.stderr)
        return 2
    print(markdown.summary(report))
    if options.output:
        try:
            write_report(report, options.output)
        except OSError as error:
            print(f"eval.run: {options.output}: cannot be written: {error.strerror}", file=sys.stderr)
            return 2
        print(f"report: {options.output / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
