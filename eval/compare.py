"""Runs side by side, with the chance that they differ by chance: ``python -m eval.compare RUN RUN ...``.

A run is a folder with report.json; a folder of such folders stands for all of them. The first run is the
one that the others are compared with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from annotations.formats.reading import write_whole
from eval.comparison import ComparisonError, compare, find_runs, read_run
from eval.report.comparison import render
from eval.report.record import ReportError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison as Markdown. Returns 2 where the runs cannot be compared, saying why."""
    parser = argparse.ArgumentParser(prog="eval.compare", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders with a report.json")
    parser.add_argument("--output", type=Path, help="file to write the comparison to, instead of printing it")
    options = parser.parse_args(arguments)
    try:
        text = render(compare([read_run(folder) for folder in find_runs(options.runs)]))
        if options.output:
            write_whole(options.output, text.encode("utf-8"))
    except (ReportError, ComparisonError, OSError) as error:
        for line in str(error).splitlines():
            print(f"eval.compare: {line}", file=sys.stderr)
        return 2
    if not options.output:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
