"""GermEval 2014: a token a line with two layers of IOB2 tags, an empty line between sentences.

    #	http://example.org/meldung.html	[2010-07-04]
    1	Kreml-Sprecher	B-ORGpart	O
    2	Peskow	B-PER	O

Each sentence is a document: its tokens with one blank between them, soft hyphens and all. An inner
mention lies strictly inside an outer one; the few that do not are left out, with a hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from annotations.document import Annotation, Document, Mention
from annotations.formats.reading import Place, Reading
from annotations.problems import Problem
from annotations.schemes import LABELS

_TAGS = frozenset({"O"} | {f"{prefix}-{label}" for prefix in "BI" for label in LABELS["germeval"]})
_COLUMNS = 4


@dataclass
class _Sentence:
    """The lines of a sentence, and what is wrong with them."""

    line: int
    meta: dict[str, str] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    tags: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    problems: list[Problem] = field(default_factory=list)


def read_germeval(path: Path) -> Reading:
    """Read one file. Bytes that are no UTF-8 raise UnicodeDecodeError."""
    return parse_germeval(path.read_bytes().decode("utf-8"), str(path))


def parse_germeval(source: str, path: str) -> Reading:
    """Read sentences from a string; ``path`` stands in the problems, and its stem in the ids."""
    documents: list[Document] = []
    lines: list[int] = []
    problems: list[Problem] = []
    for number, sentence in enumerate(_sentences(source, path), 1):
        document, found = _document(sentence, f"{Path(path).stem}-{number}", path)
        problems += found
        if document is not None:
            documents.append(document)
            lines.append(sentence.line)
    return Reading(tuple(documents), tuple(lines), tuple(problems))


def _sentences(source: str, path: str) -> Iterator[_Sentence]:
    sentence: _Sentence | None = None
    # Not splitlines: a token may hold a sign that Python takes for the end of a line.
    for number, raw in enumerate(source.split("\n"), 1):
        line = raw.removesuffix("\r")
        header = line.startswith("#")
        if sentence is not None and (header or not line.strip()):
            yield sentence
            sentence = None
        if not line.strip():
            continue
        sentence = sentence or _Sentence(number)
        if header:
            columns = [column.strip() for column in line.split("\t")]
            given = zip(("url", "date"), columns[1:], strict=False)
            sentence.meta = {key: value.strip("[]") for key, value in given if value}
        else:
            _token(sentence, line, Place(path, number))
    if sentence is not None:
        yield sentence


def _token(sentence: _Sentence, line: str, place: Place) -> None:
    columns = line.split("\t")
    if len(columns) < _COLUMNS or any(columns[_COLUMNS:]):
        what = f"{len(columns)} column(s), expected {_COLUMNS}"
        sentence.problems.append(place.problem(what, "Write index, token, outer tag, inner tag."))
        return
    index, token, *tags = columns[:_COLUMNS]
    expected = str(len(sentence.tokens) + 1)
    if index != expected:
        sentence.problems.append(place.problem(f"the token has the index {index!r}, expected {expected}"))
    if not token or " " in token:
        sentence.problems.append(place.problem(f"{token!r} is no token", "Expected one without blanks."))
    sentence.tokens.append(token)
    for layer, tag in zip(sentence.tags, tags, strict=True):
        before = layer[-1] if layer else "O"
        if tag not in _TAGS:
            expected = f"Use O, or B- or I- before one of {', '.join(LABELS['germeval'])}."
            sentence.problems.append(place.problem(f"unknown tag {tag!r}", expected))
        elif tag.startswith("I-") and before[2:] != tag[2:]:
            sentence.problems.append(place.problem(f"{tag} continues nothing", f"Write B-{tag[2:]}."))
        layer.append(tag)


def _document(sentence: _Sentence, name: str, path: str) -> tuple[Document | None, list[Problem]]:
    place = Place(path, sentence.line)
    if not sentence.tokens and not sentence.problems:
        return None, [place.problem("a header without a sentence", "Remove it.")]
    if sentence.problems:
        return None, sentence.problems
    starts = [0]
    for token in sentence.tokens:
        starts.append(starts[-1] + len(token) + 1)
    outer, inner = (_mentions(tags, starts) for tags in sentence.tags)
    text = " ".join(sentence.tokens)
    kept = [mention for mention in inner if any(other.holds(mention) for other in outer)]
    hints = [
        place.problem(
            f"inner {m.label} {text[m.start : m.end]!r} lies strictly inside no outer mention; left out",
            hint=True,
        )
        for m in inner
        if m not in kept
    ]
    annotation = Annotation(tuple(sorted([*outer, *kept])))
    return Document(name, text, "de", meta=sentence.meta, annotation=annotation), hints


def _mentions(tags: Sequence[str], starts: Sequence[int]) -> list[Mention]:
    """The mentions of one layer; ``starts`` has one entry more than there are tokens."""
    mentions: list[Mention] = []
    for position, tag in enumerate(tags):
        end = starts[position + 1] - 1
        if tag.startswith("B-"):
            mentions.append(Mention(starts[position], end, tag[2:]))
        elif tag.startswith("I-"):
            mentions[-1] = Mention(mentions[-1].start, end, tag[2:])
    return mentions
