"""Gold and prediction in, Report out. Everything in a report is a count of one document, or derived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from annotations import scheme
from annotations.document import Document
from eval.align import Pair, align, name_some
from eval.calibration import Reliability, mention_samples, relation_samples, reliability
from eval.counts import Counts, Tally, merge, total
from eval.findings import Finding, findings
from eval.losses import Losses, Trace, count_losses
from eval.metrics import METRICS
from eval.metrics.attributes import Confusion, confusions
from eval.metrics.relations import MODES
from eval.signature import Signature, fingerprint
from eval.significance import FEW, MINIMUM_SUPPORT, Interval, intervals, table_of

Key = TypeVar("Key")
# The metrics whose labels get an interval each; every group of every metric gets one.
WITH_LABELS = ("mentions.strict.both", *(f"relations.{name}" for name in MODES))


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which circumstances a prediction is scored, and what the reader must be told about it."""

    name: str = ""  # of the run
    split: str = "all"
    limit: int | None = None  # score the first so many documents of gold
    notes: tuple[str, ...] = ()
    labels: frozenset[str] | None = None  # what the model could say; None: every label of the scheme
    traces: Mapping[str, Trace] = field(default_factory=dict)  # by document


@dataclass(frozen=True)
class DocumentScore:
    """The counts of one document, by metric and label."""

    id: str
    tallies: Mapping[str, Tally]
    confusions: Mapping[str, Mapping[str, Confusion]]  # by mode, then attribute
    losses: Mapping[str, Losses]  # by mode
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Scores:
    """What a stored report keeps: enough to derive every number again, and to compare with another."""

    name: str
    signature: Signature
    documents: tuple[DocumentScore, ...]
    labels: frozenset[str] = frozenset((*scheme.ENTITY_LABELS, *scheme.RELATION_LABELS))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that were counted, in the order of the table."""
        return tuple(name for name in METRICS if name in self.documents[0].tallies)

    @cached_property
    def _tallies(self) -> Mapping[str, dict[str, Counts]]:
        return {name: merge(d.tallies[name] for d in self.documents) for name in self.metrics}

    def tally(self, metric: str) -> dict[str, Counts]:
        """The counts of all documents by label."""
        return self._tallies[metric]

    def counts(self, metric: str, labels: Iterable[str] | None = None) -> Counts:
        """The counts of all documents and of these labels."""
        return total(self.tally(metric), labels)

    def per_document(self, metric: str, labels: Iterable[str] | None = None) -> list[Counts]:
        """The counts of each document, of these labels."""
        chosen = None if labels is None else tuple(labels)
        return [total(document.tallies[metric], chosen) for document in self.documents]

    def confusion(self, mode: str, attribute: str) -> dict[tuple[str, str, str], int]:
        """An attribute's confusion over all documents."""
        return _sum(document.confusions[mode][attribute] for document in self.documents)

    def lost(self, mode: str) -> Losses:
        """First causes over all documents."""
        losses = [document.losses[mode] for document in self.documents]
        return Losses(_sum(x.missed for x in losses), _sum(x.spurious for x in losses))


@dataclass(frozen=True)
class Report:
    """Scores with everything a reader needs beside them."""

    scores: Scores
    pairs: tuple[Pair, ...]
    intervals: Mapping[tuple[str, str], Interval]  # (metric, group or label)
    calibration: Mapping[str, Reliability]  # "mentions", "relations"
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        from eval.report.html import in_notebook

        return in_notebook(self)


def evaluate(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    given: Sequence[Document] | None = None,
    conditions: Conditions | None = None,
) -> Report:
    """Score a prediction against gold, matched by document id.

    ``given`` is the same model's reading where it was told gold's mentions; without it the metrics that
    need it are absent. Raises AlignmentError where the two do not speak of the same texts.
    """
    conditions = conditions or Conditions()
    annotated = [document for document in gold if document.annotation is not None]
    alignment = align(annotated[: conditions.limit], predicted, given)
    scores = Scores(
        conditions.name,
        Signature(
            fingerprint([pair.gold for pair in alignment.pairs]),
            len(alignment.pairs),
            conditions.split,
            conditions.limit,
        ),
        tuple(_score(pair, conditions.traces.get(pair.gold.id)) for pair in alignment.pairs),
        *(() if conditions.labels is None else (conditions.labels,)),
    )
    calibration = {
        "mentions": reliability(mention_samples(alignment.pairs)),
        "relations": reliability(relation_samples(alignment.pairs)),
    }
    notes = (*conditions.notes, *alignment.notes, *_unscored(gold, predicted), *_notes(scores))
    return Report(scores, alignment.pairs, _intervals(scores), calibration, notes)


def _score(pair: Pair, trace: Trace | None) -> DocumentScore:
    modes = [mode for mode in MODES.values() if pair.given is not None or not mode.given]
    tallies = {
        name: metric.count(pair)
        for name, metric in METRICS.items()
        if pair.given is not None or not metric.given
    }
    return DocumentScore(
        pair.gold.id,
        tallies,
        {mode.name: confusions(pair, mode) for mode in modes},
        {mode.name: count_losses(*mode.readings(pair), mode, trace) for mode in modes if mode.labels},
        findings(pair, trace),
    )


def _intervals(scores: Scores) -> dict[tuple[str, str], Interval]:
    asked: dict[tuple[str, str], tuple[str, ...]] = {}
    for name in scores.metrics:
        asked.update({(name, group): labels for group, labels in METRICS[name].groups.items()})
        if name in WITH_LABELS:
            asked.update({(name, label): (label,) for label in scores.tally(name)})
    asked = {
        key: labels for key, labels in asked.items() if scores.counts(key[0], labels).gold >= MINIMUM_SUPPORT
    }
    tables = [table_of(scores.per_document(name, labels)) for (name, _), labels in asked.items()]
    return dict(zip(asked, intervals(tables), strict=True))


def _unscored(gold: Sequence[Document], predicted: Sequence[Document]) -> list[str]:
    known = {document.id for document in gold}
    lists = {
        "of gold without an annotation, not scored": [d.id for d in gold if d.annotation is None],
        "predicted but not in gold, not scored": [d.id for d in predicted if d.id not in known],
    }
    return [name_some(names, what) for what, names in lists.items() if names]


def _notes(scores: Scores) -> list[str]:
    notes = []
    count, limit = len(scores.documents), scores.signature.limit
    if limit is not None:
        notes.append(f"only the first {count} document(s) of gold were scored: limit {limit}")
    if count <= FEW:
        notes.append(
            f"{count} document(s) are too few for an interval between documents: the intervals are within "
            "these documents, and say nothing about other texts"
        )
    if "relations.given" not in scores.metrics:
        notes.append("no prediction on gold mentions was given: relations are scored end to end only")
    return notes


def _sum(parts: Iterable[Mapping[Key, int]]) -> dict[Key, int]:
    summed: dict[Key, int] = {}
    for part in parts:
        for key, count in part.items():
            summed[key] = summed.get(key, 0) + count
    return summed
