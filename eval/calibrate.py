"""Fit temperatures on a development set: ``python -m eval.calibrate GOLD PREDICTED --output FILE``.

The file belongs beside the weights of the model that made the predictions.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from annotations.corpus import read_texts
from annotations.document import text_sha256
from annotations.problems import CorpusError
from eval.align import AlignmentError, Pair, align
from eval.calibration import (
    Temperature,
    fit_temperature,
    mention_samples,
    relation_samples,
    reliability,
    save_temperatures,
)
from eval.run import InputError, read_documents


def fit(pairs: Sequence[Pair]) -> dict[str, Temperature]:
    """A temperature for mentions and one for relations. Raises ValueError where there are no scores."""
    samples = {"mentions": mention_samples(pairs), "relations": relation_samples(pairs)}
    telling = {what: rows for what, rows in samples.items() if reliability(rows).is_telling}
    if not telling:
        raise ValueError("the predictions carry no scores; expected some below 1.0 to fit a temperature on")
    return {what: fit_temperature(rows) for what, rows in telling.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the temperatures and print them. Returns 2 where the input is unusable."""
    parser = argparse.ArgumentParser(prog="eval.calibrate", description=__doc__)
    parser.add_argument("gold", type=Path, metavar="GOLD", help="annotated documents: a file or folder")
    parser.add_argument("predicted", type=Path, metavar="PREDICTED", help="predictions, or a run")
    parser.add_argument("--articles", type=Path, help="folder with the texts of stand-off files")
    parser.add_argument("--output", type=Path, required=True, help="the JSON file to write")
    options = parser.parse_args(arguments)
    try:
        if options.articles is not None and not options.articles.is_dir():
            raise InputError(f"{options.articles}: no such folder")
        texts = read_texts(options.articles) if options.articles else {}
        predicted = read_documents(options.predicted, texts)
        texts |= {text_sha256(document.text): document.text for document in predicted}
        temperatures = fit(align(read_documents(options.gold, texts), predicted).pairs)
        save_temperatures(options.output, temperatures)
    except (InputError, AlignmentError, CorpusError, ValueError, OSError) as error:
        for line in str(error).splitlines():
            print(f"eval.calibrate: {line}", file=sys.stderr)
        return 2
    for what, found in temperatures.items():
        errors = f"{found.error_before:.3f} → {found.error_after:.3f}"
        print(f"{what}: temperature {found.temperature:.3f} on {found.fitted_on} predictions; error {errors}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
