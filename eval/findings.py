"""What was found, made up and missed, one by one and in words: what two runs are compared by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from annotations.document import Document, Mention, Relation
from eval.align import Pair
from eval.losses import Trace, causes
from eval.metrics.relations import MODES, distinct

HIT, MISSED, SPURIOUS = "hit", "missed", "spurious"
_STRICT = MODES["strict"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One mention or relation of gold or of the prediction, and what became of it under strict scoring.

    ``key`` is the same in every run; ``cause`` says why a relation was missed or made up, and stands on a
    hit whose modality is wrong.
    """

    kind: str  # "mention" or "relation"
    status: str
    label: str
    key: str
    words: str
    cause: str = ""


def findings(pair: Pair, trace: Trace | None = None) -> tuple[Finding, ...]:
    """Everything in gold and in the prediction, in order of the text, mentions first."""
    return (*_mentions(pair), *_relations(pair, trace or Trace()))


def mention_words(document: Document, mention: Mention) -> str:
    """A mention as a reader names it."""
    return f"{mention.label} „{' '.join(document.surface(mention).split())}“"


def relation_words(document: Document, relation: Relation) -> str:
    """A relation as a reader names it, with its modality where that is not plain assertion."""
    head, tail = mention_words(document, relation.head), mention_words(document, relation.tail)
    modality = "" if relation.modality == "asserted" else f" ({relation.modality})"
    return f"{head} — {relation.label} → {tail}{modality}"


def mention_key(mention: Mention) -> str:
    """Where and what, in the same words in every run."""
    return f"{mention.start}-{mention.end} {mention.label}"


def _mentions(pair: Pair) -> Iterator[Finding]:
    gold, predicted = (set(annotation.mentions) for annotation in pair.readings)
    for mention in sorted(gold | predicted):
        status = SPURIOUS if mention not in gold else HIT if mention in predicted else MISSED
        words = f"{mention_words(pair.gold, mention)} {mention.start}–{mention.end}"
        yield Finding("mention", status, mention.label, mention_key(mention), words)


def _relations(pair: Pair, trace: Trace) -> Iterator[Finding]:
    gold, predicted = pair.readings
    ours = {_STRICT.key(r): r for r in distinct(gold.relations)}
    theirs = {_STRICT.key(r): r for r in distinct(predicted.relations)}
    missed = dict(_caused(causes(gold, predicted, _STRICT, trace)))
    spurious = dict(_caused(causes(predicted, gold, _STRICT, Trace())))
    everything: Mapping[object, Relation] = {**theirs, **ours}
    for key, relation in sorted(everything.items(), key=lambda item: item[1]):
        status = SPURIOUS if key not in ours else HIT if key in theirs else MISSED
        cause = (spurious if status == SPURIOUS else missed).get(key, "")
        words = relation_words(pair.gold, relation)
        if status == HIT and cause:
            words += f", predicted as {theirs[key].modality}"
        name = f"{mention_key(relation.head)}|{relation.label}|{mention_key(relation.tail)}"
        yield Finding("relation", status, relation.label, name, words, cause)


def _caused(lost: list[tuple[Relation, str]]) -> Iterator[tuple[object, str]]:
    return ((_STRICT.key(relation), cause) for relation, cause in lost)
