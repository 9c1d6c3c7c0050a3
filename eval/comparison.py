"""Runs side by side: what each scores, how likely the difference is chance, and what each alone found.

The first run is the one that the others are compared with. What is not comparable is not compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from annotations.views import VIEWS
from eval.counts import total
from eval.findings import HIT, MISSED, SPURIOUS, Finding
from eval.metrics import METRICS
from eval.report.markdown import GROUP_TITLES
from eval.report.record import ReportError, load_scores
from eval.scoring import Scores
from eval.significance import Interval, Table, holm, intervals, permutation_test, table_of

ALPHA = 0.05
QUESTIONS = (
    ("mentions.strict.both", "all"),
    ("relations.given", "all"),
    ("relations.given", "actors"),
    ("relations.boundaries", "all"),
    ("relations.strict", "all"),
    ("relations.strict", "static"),
    ("relations.strict", "actors"),
    ("relations.strict.modality", "actors"),
    ("triples", "all"),
    ("view.germeval", "all"),
    ("view.backoff", "all"),
)
_SEED = re.compile(r"^\s*(?:[\w.]*\.)?seed\s*[:=]\s*(\S+)\s*$", re.MULTILINE)


class ComparisonError(ValueError):
    """Runs that cannot be compared: one line for each reason."""


@dataclass(frozen=True, slots=True)
class Run:
    """A scored run, its seed where its configuration names one, and the rest of the configuration."""

    name: str
    scores: Scores
    seed: str | None = None
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One run's score on one question, and how it stands to the first run's."""

    run: str
    f1: float
    interval: Interval
    difference: float = 0.0
    probability: float | None = None  # of so large a difference by chance, corrected; None for the first

    @property
    def verdict(self) -> str:
        """What may be said about the difference."""
        if self.probability is None:
            return ""
        if self.probability >= ALPHA:
            return "not distinguishable"
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True, slots=True)
class Question:
    """One metric and group, with every run's answer, in order of the runs."""

    metric: str
    group: str
    support: int
    answers: tuple[Answer, ...]

    @property
    def title(self) -> str:
        """The question in words."""
        title = METRICS[self.metric].title
        return title if self.metric.startswith("mentions") else f"{title}, {GROUP_TITLES[self.group]}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several runs on the same gold, over the labels that all of them can say."""

    runs: tuple[Run, ...]
    questions: tuple[Question, ...]
    left_out: tuple[str, ...]  # labels that not every run can say, with who can


def read_run(folder: Path) -> Run:
    """A run's report and configuration. Raises ReportError where there is no report."""
    scores = load_scores(folder / "report.json")
    config = folder / "config.yaml"
    settings = config.read_text("utf-8") if config.is_file() else ""
    seed = _SEED.search(settings)
    rest = "\n".join(line for line in settings.splitlines() if not _of_this_run_only(line))
    return Run(folder.name, scores, seed[1] if seed else None, rest)


def _of_this_run_only(line: str) -> bool:
    return bool(_SEED.match(line)) or re.match(r"\s*(?:output|name|model)\s*:", line) is not None


def find_runs(paths: Sequence[Path]) -> list[Path]:
    """The folders with a report among the paths or below them. Raises ReportError for a missing path."""
    folders: list[Path] = []
    for path in paths:
        if not path.is_dir():
            raise ReportError(f"{path}: no such folder")
        below = sorted((p.parent for p in path.glob("**/report.json") if p.parent != path), key=_natural)
        if (path / "report.json").exists() or not below:
            folders.append(path)
        else:
            folders.extend(below)
    return list(dict.fromkeys(folders))


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in path.parts]


def compare(runs: Sequence[Run]) -> Comparison:
    """Every question put to every run.

    Raises ComparisonError with each reason where they were not scored on the same gold in the same way.
    """
    if len(runs) < 2:
        raise ComparisonError(f"{len(runs)} run(s) to compare; expected two or more with a report.json")
    first = runs[0]
    problems = [
        f"{run.name} is not comparable with {first.name}: {difference}"
        for run in runs[1:]
        for difference in _differences(first.scores, run.scores)
    ]
    if problems:
        raise ComparisonError("\n".join([*problems, "Score both on the same gold, with the same settings."]))
    runs = _distinct_names(runs)
    shared = frozenset.intersection(*(run.scores.labels for run in runs))
    asked = [(name, group) for name, group in QUESTIONS if all(name in run.scores.metrics for run in runs)]
    questions = [_question(runs, name, group) for name, group in asked]
    everything = frozenset().union(*(run.scores.labels for run in runs))
    left_out = [
        f"{label} (only {', '.join(r.name for r in runs if label in r.scores.labels)})"
        for label in sorted(everything - shared)
    ]
    return Comparison(tuple(runs), tuple(_corrected(questions)), tuple(left_out))


def _differences(first: Scores, second: Scores) -> list[str]:
    found = first.signature.differences(second.signature)
    ours, theirs = ([d.id for d in scores.documents] for scores in (first, second))
    if not found and sorted(ours) != sorted(theirs):
        found.append("they name other documents")
    return found


def _distinct_names(runs: Sequence[Run]) -> list[Run]:
    names = [run.name for run in runs]
    return [
        run if names.count(run.name) == 1 else replace(run, name=f"{run.name} ({number})")
        for number, run in enumerate(runs, 1)
    ]


def _question(runs: Sequence[Run], name: str, group: str) -> Question:
    labels = shared_labels(runs, name, group)
    tables = [_table(run.scores, name, labels, runs[0].scores) for run in runs]
    found = intervals(tables)
    counts = [total(run.scores.tally(name), labels) for run in runs]
    answers = tuple(
        Answer(
            run.name,
            count.f1,
            interval,
            count.f1 - counts[0].f1,
            None if run is runs[0] else permutation_test(tables[0], table),
        )
        for run, count, interval, table in zip(runs, counts, found, tables, strict=True)
    )
    return Question(name, group, counts[0].gold, answers)


def shared_labels(runs: Sequence[Run], name: str, group: str) -> list[str]:
    """The labels of a group that every run can say; one of a view, where it can say a label behind it."""
    view = VIEWS.get(METRICS[name].view)
    behind: dict[str, set[str]] = {label: {label} for label in METRICS[name].groups[group]}
    for ours, theirs in {**view.mentions, **view.relations}.items() if view else ():
        behind.setdefault(theirs, set()).add(ours)
    can_say = [run.scores.labels for run in runs]
    return [label for label in METRICS[name].groups[group] if all(behind[label] & says for says in can_say)]


def _table(scores: Scores, name: str, labels: Sequence[str], first: Scores) -> Table:
    rows = {d.id: total(d.tallies[name], labels) for d in scores.documents}
    return table_of([rows[d.id] for d in first.documents])


def _corrected(questions: Sequence[Question]) -> Iterator[Question]:
    """Holm over the runs of each question: with two runs nothing changes."""
    for question in questions:
        first, *rest = question.answers
        corrected = holm([answer.probability or 0.0 for answer in rest])
        answers = (replace(a, probability=p) for a, p in zip(rest, corrected, strict=True))
        yield replace(question, answers=(first, *answers))


@dataclass(frozen=True, slots=True)
class Spread:
    """Runs that differ in nothing but the seed: their mean F1, and standard deviations of F1."""

    runs: tuple[Run, ...]
    mean: float
    seeds: float
    data: float


def seed_spread(runs: Sequence[Run], name: str, group: str) -> Iterator[Spread]:
    """What the seed does to a score, beside what the choice of documents does."""
    families: Mapping[str, list[Run]] = defaultdict(list)
    for run in runs:
        if run.seed is not None:
            families[run.settings].append(run)
    for family in families.values():
        if len({run.seed for run in family}) > 1:
            labels = METRICS[name].groups[group]
            scores = [run.scores.counts(name, labels).f1 for run in family]
            found = intervals([table_of(run.scores.per_document(name, labels)) for run in family])
            data = mean(interval.deviation for interval in found)
            yield Spread(tuple(family), mean(scores), stdev(scores), data)


def only_in(first: Scores, second: Scores) -> dict[str, dict[str, list[tuple[str, Finding]]]]:
    """Side → document → what only that run found ("+"), or wrongly claims ("-")."""
    sides: dict[str, dict[str, list[tuple[str, Finding]]]] = {"first": {}, "second": {}}
    theirs = {d.id: d for d in second.documents}
    for document in first.documents:
        here, there = (_by_status(d.findings) for d in (document, theirs[document.id]))
        for side, (ours, others) in {"first": (here, there), "second": (there, here)}.items():
            rows = [("+", f) for key, f in ours[HIT].items() if key in others[MISSED]]
            rows += [("-", f) for key, f in ours[SPURIOUS].items() if key not in others[SPURIOUS]]
            if rows:
                sides[side][document.id] = rows
    return sides


def _by_status(found: Sequence[Finding]) -> dict[str, dict[tuple[str, str], Finding]]:
    table: dict[str, dict[tuple[str, str], Finding]] = {HIT: {}, MISSED: {}, SPURIOUS: {}}
    for finding in found:
        table[finding.status][finding.kind, finding.key] = finding
    return table
