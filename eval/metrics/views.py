"""Scores as other schemes would see them, and triples of names: what a reader of events compares."""

from __future__ import annotations

from annotations import scheme
from annotations.document import Annotation, Document, Mention
from annotations.views import VIEWS, plover_events, seen_as
from eval.align import Pair, reading
from eval.counts import Counts, count_keys
from eval.metrics.relations import MODES, found


def mentions_in_view(pair: Pair, name: str) -> dict[str, Counts]:
    """Strict mentions, under the labels of the view."""
    gold, predicted = (seen_as(annotation, VIEWS[name]) for annotation in pair.readings)
    return count_keys(((m, m.label) for m in gold.mentions), ((m, m.label) for m in predicted.mentions))


def relations_in_view(pair: Pair, name: str) -> dict[str, Counts]:
    """Strict relations end to end, under the labels of the view."""
    gold, predicted = (seen_as(annotation, VIEWS[name]) for annotation in pair.readings)
    return found(MODES["strict"])(Pair(_with(pair.gold, gold), _with(pair.predicted, predicted)))


def events_in_plover(pair: Pair) -> dict[str, Counts]:
    """PLOVER event records: type, source, target and negation, by type."""
    gold, predicted = (plover_events(annotation) for annotation in pair.readings)
    return count_keys(((e, e.type) for e in gold), ((e, e.type) for e in predicted))


def triples(pair: Pair) -> dict[str, Counts]:
    """The same relation between the same names, counted once a document, wherever it stands in it."""
    gold, predicted = _triples(pair.gold), _triples(pair.predicted)
    return count_keys(((t, t[1]) for t in gold), ((t, t[1]) for t in predicted))


def _triples(document: Document) -> set[tuple[str, str, str]]:
    found_ = set()
    for relation in reading(document).relations:
        head, tail = _name(document, relation.head), _name(document, relation.tail)
        if scheme.is_symmetric(relation.label):
            head, tail = sorted((head, tail))
        found_.add((head, relation.label, tail))
    return found_


def _name(document: Document, mention: Mention) -> str:
    return " ".join(document.surface(mention).casefold().split())


def _with(document: Document, annotation: Annotation) -> Document:
    return Document(document.id, document.text, document.language, annotation=annotation)
