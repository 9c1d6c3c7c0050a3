"""Tag sequences, scored in two named modes: ``python -m eval.sequences GOLD PREDICTED --mode strict``.

``lenient`` reads invalid tags as conlleval and seqeval's default do: an I that continues nothing opens a
mention. ``strict`` reads IOB2 as seqeval's strict mode does: such an I is no mention. The two differ only
where there are invalid sequences, so their number is always said.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.counts import Counts, assemble, total

MODES = ("strict", "lenient")
_PREFIXES = {"O": 0, "B": 1, "I": 2, "E": 3, "S": 4}
_OUTSIDE, _BEGIN, _INSIDE, _END, _SINGLE = range(5)


class TagError(ValueError):
    """Sequences that cannot be scored."""


@dataclass(frozen=True, slots=True)
class SequenceScore:
    """Counts by label, in a mode, and how many predicted sequences (and tags in them) are invalid IOB2."""

    mode: str
    counts: dict[str, Counts]
    invalid_sequences: int
    invalid_tags: int

    @property
    def overall(self) -> Counts:
        """The sum over the labels."""
        return total(self.counts)


@dataclass(frozen=True, slots=True)
class _Encoded:
    prefixes: NDArray[np.int8]  # [pieces + sequences], an O behind each sequence
    types: NDArray[np.int64]  # [pieces + sequences], index into the labels; 0 where outside
    sequence: NDArray[np.int64]  # [pieces + sequences]


def score(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], mode: str = "strict"
) -> SequenceScore:
    """Mentions with the same borders and label are hits.

    Raises TagError for sequences of different lengths, unknown tags, and in strict mode for tags that IOB2
    does not have.
    """
    if mode not in MODES:
        raise TagError(f"unknown mode {mode!r}; expected {' or '.join(MODES)}")
    _same_shape(gold, predicted)
    labels: dict[str, int] = {"": 0}
    encoded = [_encode(side, labels, mode) for side in (gold, predicted)]
    ours, theirs = (_mentions(side, mode) for side in encoded)
    # A mention is one integer: (first, last, label) never collide, so that sets of mentions are arrays.
    size = len(encoded[0].prefixes) + 1
    first, second = (_numbered(found, size, len(labels)) for found in (ours, theirs))
    hits = np.isin(first, second, assume_unique=True)
    spurious = ~np.isin(second, first, assume_unique=True)
    names = list(labels)
    tally = assemble(
        _by_label(ours[2][hits], names),
        _by_label(theirs[2][spurious], names),
        _by_label(ours[2][~hits], names),
    )
    invalid = _invalid(encoded[1])
    return SequenceScore(mode, tally, len(np.unique(encoded[1].sequence[invalid])), int(invalid.sum()))


def _same_shape(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    if len(gold) != len(predicted):
        raise TagError(f"{len(gold)} sequences of gold, {len(predicted)} predicted; expected as many")
    for number, (ours, theirs) in enumerate(zip(gold, predicted, strict=True), 1):
        if len(ours) != len(theirs):
            raise TagError(f"sequence {number} has {len(ours)} tags in gold, {len(theirs)} predicted")


def _encode(sequences: Sequence[Sequence[str]], labels: dict[str, int], mode: str) -> _Encoded:
    flat = list(chain.from_iterable(chain(sequence, ("O",)) for sequence in sequences))
    codes = {tag: _code(tag, labels, mode) for tag in dict.fromkeys(flat)}
    table = np.array([codes[tag] for tag in flat], dtype=np.int64).reshape(len(flat), 2)
    lengths = [len(sequence) + 1 for sequence in sequences]
    return _Encoded(table[:, 0].astype(np.int8), table[:, 1], np.repeat(np.arange(len(lengths)), lengths))


def _code(tag: str, labels: dict[str, int], mode: str) -> tuple[int, int]:
    prefix, _, label = tag.partition("-")
    allowed = "BIO" if mode == "strict" else "BIOES"
    if prefix not in _PREFIXES or prefix not in allowed or (prefix == "O") != (label == ""):
        raise TagError(f"unknown tag {tag!r}; expected O, or one of {', '.join(allowed)} before -LABEL")
    return _PREFIXES[prefix], labels.setdefault(label, len(labels))


def _mentions(encoded: _Encoded, mode: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """First piece, last piece and label of each mention."""
    starts, goes_on = _lenient(encoded) if mode == "lenient" else _strict(encoded)
    first = np.flatnonzero(starts)
    # A mention ends before the next piece that does not go on from the one before it.
    stops = np.flatnonzero(~goes_on)
    last = stops[np.searchsorted(stops, first, side="right")] - 1 if len(first) else first
    return first, last, encoded.types[first]


def _shifted(values: NDArray[Any]) -> NDArray[Any]:
    """The value of the piece before; outside before the first."""
    moved = np.zeros_like(values)
    moved[1:] = values[:-1]
    return moved


def _strict(encoded: _Encoded) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    same = encoded.types == _shifted(encoded.types)  # outside has a type of its own: 0
    return encoded.prefixes == _BEGIN, (encoded.prefixes == _INSIDE) & same


def _lenient(encoded: _Encoded) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    now, before = encoded.prefixes, _shifted(encoded.prefixes)
    inside = now != _OUTSIDE
    opens = np.isin(now, (_BEGIN, _SINGLE)) | np.isin(before, (_OUTSIDE, _END, _SINGLE))
    starts = inside & (opens | (encoded.types != _shifted(encoded.types)))
    return starts, inside & ~starts


def _invalid(encoded: _Encoded) -> NDArray[Any]:
    _, continues = _strict(encoded)
    return np.asarray(((encoded.prefixes == _INSIDE) & ~continues) | (encoded.prefixes > _INSIDE))


def _numbered(
    found: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], size: int, labels: int
) -> NDArray[np.int64]:
    first, last, types = found
    return np.asarray((first * size + last) * labels + types, dtype=np.int64)


def _by_label(types: NDArray[np.int64], names: Sequence[str]) -> dict[str, int]:
    counted = np.bincount(types, minlength=len(names))
    return {name: int(count) for name, count in zip(names, counted, strict=True) if count}


def read_tags(path: Path) -> list[list[str]]:
    """The last column of a CoNLL file; blank lines part the sequences, lines with # at the start are none."""
    sequences: list[list[str]] = [[]]
    for line in path.read_text("utf-8").splitlines():
        columns = line.split()
        if line.startswith(("#", "-DOCSTART-")):
            continue
        if columns:
            sequences[-1].append(columns[-1])
        elif sequences[-1]:
            sequences.append([])
    return [sequence for sequence in sequences if sequence]


def render(result: SequenceScore) -> Iterable[str]:
    """The score as lines of text, with its mode."""
    rows = [*result.counts.items(), ("all", result.overall)]
    yield f"{'label':<12} precision  recall      F1  gold"
    for label, c in rows:
        yield f"{label:<12} {100 * c.precision:9.2f} {100 * c.recall:7.2f} {100 * c.f1:7.2f} {c.gold:5}"
    yield (
        f"mode:{result.mode}|invalid sequences:{result.invalid_sequences}|invalid tags:{result.invalid_tags}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the score of two tagged files. Returns 2 where they cannot be scored."""
    parser = argparse.ArgumentParser(prog="eval.sequences", description=__doc__)
    parser.add_argument("gold", type=Path, metavar="GOLD", help="a CoNLL file, tags in the last column")
    parser.add_argument("predicted", type=Path, metavar="PREDICTED", help="the same pieces, predicted tags")
    parser.add_argument("--mode", choices=MODES, default="strict", help="how invalid tags are read")
    options = parser.parse_args(arguments)
    try:
        result = score(read_tags(options.gold), read_tags(options.predicted), options.mode)
    except (TagError, OSError, UnicodeDecodeError) as error:
        print(f"eval.sequences: {error}", file=sys.stderr)
        return 2
    print("\n".join(render(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
