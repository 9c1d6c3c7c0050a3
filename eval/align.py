"""Gold and prediction, document by document. What cannot be set side by side is refused, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from annotations.document import Annotation, Document, text_sha256


class AlignmentError(ValueError):
    """Gold and prediction that do not speak of the same texts: one line for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Pair:
    """One text as gold reads it and as the model does.

    ``given`` is the model's reading where it was told the gold mentions; None where it was not asked.
    """

    gold: Document
    predicted: Document
    given: Document | None = None

    @property
    def readings(self) -> tuple[Annotation, Annotation]:
        """What gold says and what the prediction says; nobody looked is nothing found."""
        return reading(self.gold), reading(self.predicted)


@dataclass(frozen=True, slots=True)
class Alignment:
    """The pairs in the order of gold, and what the reader of a score must be told."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()


def reading(document: Document) -> Annotation:
    """The annotation of a document; an empty one where nobody looked."""
    return document.annotation or Annotation()


def align(
    gold: Sequence[Document], predicted: Sequence[Document], given: Sequence[Document] | None = None
) -> Alignment:
    """Match by id. A gold document without a prediction counts as all missed, and is named in the notes.

    Raises AlignmentError with every document that stands twice or has another text, and with every given
    one whose mentions are not those of gold.
    """
    scored = [document for document in gold if document.annotation is not None]
    problems = [
        *_twice(scored, "gold"),
        *_twice(predicted, "the prediction"),
        *_twice(given or (), "the prediction on gold mentions"),
    ]
    if not scored:
        problems.append("gold holds no annotated document; expected at least one to score against")
    found = {document.id: document for document in predicted}
    told = {document.id: document for document in given or ()}
    for document in scored:
        problems += _other_text(document, found.get(document.id), "predicted")
        problems += _other_text(document, told.get(document.id), "given")
        problems += _other_mentions(document, told.get(document.id))
    if problems:
        raise AlignmentError(problems)
    pairs = tuple(_pair(document, found, told if given is not None else None) for document in scored)
    return Alignment(pairs, tuple(_notes(scored, found, told if given is not None else None)))


def _pair(document: Document, found: dict[str, Document], told: dict[str, Document] | None) -> Pair:
    empty = replace(document, annotation=Annotation())
    given = None if told is None else told.get(document.id, replace(empty, annotation=Annotation()))
    return Pair(document, found.get(document.id, empty), given)


def _notes(
    scored: Sequence[Document], found: dict[str, Document], told: dict[str, Document] | None
) -> Iterator[str]:
    lists = {
        "without a prediction, counted as all missed": [d.id for d in scored if d.id not in found],
        "with no relations predicted on its mentions, counted as all missed there": [
            d.id for d in scored if told is not None and d.id not in told
        ],
    }
    yield from (name_some(names, what) for what, names in lists.items() if names)


def name_some(names: Sequence[str], what: str) -> str:
    """How many documents it concerns, and the names of the first ten."""
    rest = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{len(names)} document(s) {what}: {', '.join(names[:10])}{rest}"


def _twice(documents: Sequence[Document], where: str) -> Iterator[str]:
    for name, count in Counter(document.id for document in documents).items():
        if count > 1:
            yield f"document {name!r} stands {count} times in {where}; expected once. Rename or drop one"


def _other_text(gold: Document, other: Document | None, what: str) -> Iterator[str]:
    if other is not None and other.text != gold.text:
        yield (
            f"document {gold.id!r} was {what} on another text: SHA-256 {text_sha256(other.text)[:12]}…, "
            f"expected {text_sha256(gold.text)[:12]}…. Predict on the text that gold annotates"
        )


def _other_mentions(gold: Document, given: Document | None) -> Iterator[str]:
    if given is None:
        return
    ours, theirs = set(reading(gold).mentions), set(reading(given).mentions)
    if ours != theirs:
        yield (
            f"document {gold.id!r} was given other mentions than those of gold: "
            f"{len(theirs - ours)} too many, {len(ours - theirs)} missing. Predict relations on gold mentions"
        )
