"""report.json: every number with its signature, and the counts of each document to derive it from again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from eval.counts import Counts, Tally, macro_f1, total
from eval.findings import Finding
from eval.losses import LADDER, Losses
from eval.metrics import METRICS
from eval.metrics.attributes import attribute_score, square
from eval.metrics.relations import ATTRIBUTES, GROUPS
from eval.scoring import DocumentScore, Report, Scores
from eval.signature import Signature
from eval.significance import MINIMUM_SUPPORT, Interval

FORMAT = "depesche-report"
VERSION = 1


class ReportError(ValueError):
    """A stored report that cannot be read: which file, and what is wrong with it."""


def to_record(report: Report) -> dict[str, Any]:
    """The report as plain data, in a fixed order: the same input gives the same bytes."""
    scores = report.scores
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": scores.name,
        "signature": asdict(scores.signature),
        "signature_text": str(scores.signature),
        "labels": sorted(scores.labels),
        "notes": list(report.notes),
        "metrics": {name: _metric(report, name) for name in scores.metrics},
        "attributes": {mode: _attributes(scores, mode) for mode in scores.documents[0].confusions},
        "losses": {mode: _losses(scores, mode) for mode in scores.documents[0].losses},
        "ladder": [
            {"rung": title, "metric": name, **_derived(scores.counts(name))}
            for name, title in LADDER.items()
            if name in scores.metrics
        ],
        "calibration": {what: asdict(found) for what, found in report.calibration.items()},
        "documents": [_document(document) for document in scores.documents],
    }


def _metric(report: Report, name: str) -> dict[str, Any]:
    metric, scores = METRICS[name], report.scores
    tally = scores.tally(name)
    record: dict[str, Any] = {
        "title": metric.title,
        "signature": str(scores.signature.of(name, metric.view)),
        "groups": {
            group: {
                **_derived(total(tally, labels)),
                "macro_f1": round(macro_f1(tally, labels), 6),
                **_by_document(scores.per_document(name, labels)),
                **_interval(report.intervals.get((name, group))),
            }
            for group, labels in metric.groups.items()
        },
    }
    if metric.by_label:
        record["labels"] = {
            label: {
                **_derived(tally[label]),
                "ranked": tally[label].gold >= MINIMUM_SUPPORT,
                **_interval(report.intervals.get((name, label))),
            }
            for label in in_order(tally, metric.labels)
        }
    return record


def _by_document(counts: Sequence[Counts]) -> dict[str, Any]:
    """Mean and standard deviation of F1 over the documents that have something to find or to say."""
    scores = [count.f1 for count in counts if count != Counts()]
    deviation = round(stdev(scores), 6) if len(scores) > 1 else None
    return {
        "document_f1": round(mean(scores), 6) if scores else None,
        "document_f1_deviation": deviation,
    }


def in_order(tally: Tally, labels: Iterable[str]) -> list[str]:
    """The labels of a tally in the order of the scheme, unknown ones last."""
    known = [label for label in labels if label in tally]
    return known + sorted(set(tally) - set(known))


def _derived(counts: Counts) -> dict[str, Any]:
    halves = {"halves": counts.halves} if counts.halves else {}
    return {
        "hits": counts.hits,
        "spurious": counts.spurious,
        "missed": counts.missed,
        **halves,
        "precision": round(counts.precision, 6),
        "recall": round(counts.recall, 6),
        "f1": round(counts.f1, 6),
        "support": counts.gold,
    }


def _interval(interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return {}
    bounds = [round(interval.low, 6), round(interval.high, 6)]
    return {
        "interval": bounds,
        "interval_method": interval.method,
        "deviation": round(interval.deviation, 6),
    }


def _attributes(scores: Scores, mode: str) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for group in ("all", "static", "actors"):
        rows: dict[str, Any] = {}
        for name in ATTRIBUTES:
            confusion = scores.confusion(mode, name)
            score = attribute_score(confusion, GROUPS[group])
            cells = square(confusion, GROUPS[group])
            rows[name] = {
                "matched": score.matched,
                "right": score.right,
                "accuracy": round(score.accuracy, 6),
                "macro_f1" if name == "modality" else "f1": round(score.macro_f1, 6),
                "confusion": [[gold, said, count] for (gold, said), count in sorted(cells.items())],
            }
        record[group] = rows
    return record


def _losses(scores: Scores, mode: str) -> dict[str, Any]:
    losses = scores.lost(mode)
    return {
        side: {group: causes_of(found, labels) for group, labels in GROUPS.items()}
        for side, found in (("missed", losses.missed), ("spurious", losses.spurious))
    }


def causes_of(losses: Mapping[tuple[str, str], int], labels: Iterable[str]) -> dict[str, int]:
    """Cause → how often, over the relation labels."""
    wanted, summed = set(labels), dict[str, int]()
    for (label, cause), count in sorted(losses.items()):
        if label in wanted:
            summed[cause] = summed.get(cause, 0) + count
    return summed


def _document(score: DocumentScore) -> dict[str, Any]:
    return {
        "id": score.id,
        "tallies": {
            name: {label: [c.hits, c.spurious, c.missed, c.halves] for label, c in tally.items()}
            for name, tally in score.tallies.items()
        },
        "confusions": {
            mode: {name: _rows(confusion) for name, confusion in table.items()}
            for mode, table in score.confusions.items()
        },
        "losses": {
            mode: {"missed": _rows(losses.missed), "spurious": _rows(losses.spurious)}
            for mode, losses in score.losses.items()
        },
        "findings": [[f.kind, f.status, f.label, f.key, f.words, f.cause] for f in score.findings],
    }


def _rows(counter: Mapping[Any, int]) -> list[list[Any]]:
    return [[*key, count] for key, count in sorted(counter.items())]


def load_scores(path: Path) -> Scores:
    """The scores of a report.json. Raises ReportError where the file is missing or is none."""
    try:
        record = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        remedy = "Score the run first: python -m eval.run GOLD PREDICTED --output DIR"
        raise ReportError(f"{path}: no such file. {remedy}") from None
    except (OSError, ValueError) as error:
        raise ReportError(f"{path}: cannot be read: {error}") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ReportError(f"{path}: no report of this project; expected the format {FORMAT!r}")
    if record.get("version") != VERSION:
        raise ReportError(
            f"{path}: a report of version {record.get('version')}; expected {VERSION}. Score again"
        )
    try:
        return Scores(
            str(record["name"]),
            Signature(**record["signature"]),
            tuple(_load_document(document) for document in record["documents"]),
            frozenset(record["labels"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReportError(f"{path}: a damaged report: {error!r}. Score again") from error


def _load_document(record: dict[str, Any]) -> DocumentScore:
    return DocumentScore(
        str(record["id"]),
        {
            name: {label: Counts(*counts) for label, counts in tally.items()}
            for name, tally in record["tallies"].items()
        },
        {
            mode: {name: _unrows(rows) for name, rows in table.items()}
            for mode, table in record["confusions"].items()
        },
        {
            mode: Losses(_unrows(losses["missed"]), _unrows(losses["spurious"]))
            for mode, losses in record["losses"].items()
        },
        tuple(Finding(*finding) for finding in record["findings"]),
    )


def _unrows(rows: list[list[Any]]) -> dict[Any, int]:
    return {tuple(row[:-1]): int(row[-1]) for row in rows}
