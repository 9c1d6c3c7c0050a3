"""Predictions beside their gold, scored by the judge, with the baseline beside them."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from annotations import scheme
from annotations.document import Annotation, Document
from eval.counts import Counts, macro_f1
from eval.losses import Trace
from eval.metrics.attributes import as_tally, attribute_score, square
from eval.metrics.relations import GROUPS
from eval.scoring import Conditions, Report, evaluate
from pipeline.baselines import learn
from pipeline.protocols import Fold

# By document: the spans of head and tail of every pair that the model was asked about.
Asked = Mapping[str, frozenset[tuple[tuple[int, int], tuple[int, int]]]]


@dataclass(frozen=True, slots=True)
class Scored:
    """Gold documents, what was predicted for them, and what was predicted on gold mentions."""

    documents: tuple[Document, ...]
    predicted: tuple[Document, ...]
    given: tuple[Document, ...]
    asked: Asked = field(default_factory=dict)


def scored(
    results: Iterable[tuple[Document, Annotation, Annotation | None]], asked: Asked | None = None
) -> Scored:
    """Pack predictions of documents that have gold."""
    rows = [(document, found, given) for document, found, given in results if given is not None]
    return Scored(
        tuple(document for document, _, _ in rows),
        tuple(replace(document, annotation=found) for document, found, _ in rows),
        tuple(replace(document, annotation=given) for document, _, given in rows),
        dict(asked or {}),
    )


def merge(parts: Sequence[Scored]) -> Scored:
    """Several folds as one corpus."""
    return Scored(
        tuple(document for part in parts for document in part.documents),
        tuple(document for part in parts for document in part.predicted),
        tuple(document for part in parts for document in part.given),
        {name: pairs for part in parts for name, pairs in part.asked.items()},
    )


def baseline(folds: Sequence[Fold]) -> Scored:
    """The baseline of each fold, learned from its training documents, as one corpus."""
    rows = []
    for fold in folds:
        learned = learn(fold.train)
        for document in fold.test:
            gold = document.annotation.mentions if document.annotation else ()
            rows.append((document, learned.annotate(document), learned.relate(document, gold)))
    return scored(rows)


def score(result: Scored, name: str) -> Report:
    """The judge's report."""
    traces = {document: Trace(pairs=asked) for document, asked in result.asked.items()}
    conditions = Conditions(name=name, traces=traces)
    return evaluate(result.documents, result.predicted, result.given, conditions)


Question = Callable[[Report], float]


def _f1(metric: str, group: str = "all") -> Question:
    def value(report: Report) -> float:
        counts: Counts = report.scores.counts(metric, GROUPS[group] if group != "all" else None)
        return counts.f1

    return value


def _modality(report: Report) -> float:
    """Macro F1 of the modality over the labels present, on the ten, on gold mentions, where found."""
    confusion = report.scores.confusion("given", "modality")
    return attribute_score(confusion, scheme.ACTOR_RELATIONS).macro_f1


def _commonest_modality(report: Report) -> float:
    """The same, if each of them were called by the modality that most of them have."""
    confusion = report.scores.confusion("given", "modality")
    gold: Counter[str] = Counter()
    for (value, _), count in square(confusion, scheme.ACTOR_RELATIONS).items():
        gold[value] += count
    if not gold:
        return 0.0
    commonest = max(gold, key=lambda value: (gold[value], value))
    return macro_f1(as_tally({(value, commonest): count for value, count in gold.items()}))


def _calibration(kind: str) -> Question:
    def value(report: Report) -> float:
        found = report.calibration[kind]
        return found.error if found.is_telling else math.nan  # without scores, nothing can be said

    return value


QUESTIONS: dict[str, Question] = {
    "mentions, outer, strict F1": _f1("mentions.strict.outer"),
    "mentions, inner, strict F1": _f1("mentions.strict.inner"),
    "mentions, both layers, strict F1": _f1("mentions.strict.both"),
    "relations on gold mentions, all 16, F1": _f1("relations.given"),
    "relations on gold mentions, the six static, F1": _f1("relations.given", "static"),
    "relations on gold mentions, the ten between actors, F1": _f1("relations.given", "actors"),
    "relations end to end, boundaries, all 16, F1": _f1("relations.boundaries"),
    "relations end to end, strict, all 16, F1": _f1("relations.strict"),
    "relations end to end, strict, the ten, F1": _f1("relations.strict", "actors"),
    "modality of the ten on correct relations, macro F1": _modality,
    "modality, all of them called by the commonest, macro F1": _commonest_modality,
    "expected calibration error (less is better), mentions": _calibration("mentions"),
    "expected calibration error (less is better), relations end to end": _calibration("relations"),
}


def summary(runs: Sequence[Scored], beside: Scored) -> str:
    """The questions as a Markdown table: mean and spread over the runs, the baseline beside them."""
    reports = [score(run, "model") for run in runs]
    baseline_report = score(beside, "baseline")
    lines = [f"| what | model ({len(runs)} seed(s)) | baseline |", "|---|---|---|"]
    for title, question in QUESTIONS.items():
        values = [question(report) for report in reports]
        lines.append(f"| {title} | {_cell(values)} | {_cell([question(baseline_report)])} |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float]) -> str:
    """Mean and spread; a dash where one of them is not a number."""
    if any(map(math.isnan, values)):
        return "–"
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"
