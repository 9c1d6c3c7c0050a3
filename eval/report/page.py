"""What report.html shows, worked out: rows of charts in percent, so that the template only lays out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotations import scheme
from annotations.document import Document
from eval.align import Pair, reading
from eval.calibration import Reliability
from eval.counts import Counts
from eval.findings import HIT, Finding, mention_words
from eval.losses import CAUSES, LADDER
from eval.metrics import METRICS
from eval.metrics.attributes import attribute_score, square
from eval.metrics.mentions import confused
from eval.metrics.relations import ATTRIBUTES, GROUPS, MODES
from eval.report.marks import Mark, marked, nest
from eval.report.record import causes_of, in_order
from eval.scoring import DocumentScore, Report
from eval.significance import MINIMUM_SUPPORT, Interval

SHOWN = 60  # documents; beyond, the ones with most errors are shown and the page says so


@dataclass(frozen=True, slots=True)
class Bar:
    """One score: counts, interval where there is one, and a second score to hold it against."""

    title: str
    counts: Counts
    interval: Interval | None = None
    beside: float | None = None

    @property
    def ranked(self) -> bool:
        """Whether there is enough gold to take the score seriously."""
        return self.counts.gold >= MINIMUM_SUPPORT


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a waterfall, in percent of the whole."""

    title: str
    count: int
    start: float
    width: float
    kind: str  # "whole", "loss" or "rest"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion: gold down, predicted across; each cell with its count and its shade from 0 to 9."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, int, bool], ...]], ...]  # (count, shade, on the diagonal)


@dataclass(frozen=True, slots=True)
class Shown:
    """A document with both readings marked."""

    id: str
    language: str
    mentions: Counts
    relations: Counts
    gold: list[str | Mark]
    predicted: list[str | Mark]
    crossing: tuple[str, ...]
    findings: tuple[Finding, ...]


def headlines(report: Report) -> list[tuple[str, list[Bar]]]:
    """The overview: mentions by layer, then relations by mode, over all and the two groups."""
    layers = {"both": "both layers", "outer": "outer", "inner": "inner"}
    blocks = [
        ("Mentions", [_bar(report, f"mentions.strict.{key}", "all", title) for key, title in layers.items()])
    ]
    titles = {"all": "all sixteen", "static": "the six static", "actors": "the ten between actors"}
    for name, mode in MODES.items():
        if f"relations.{name}" in report.scores.metrics:
            bars = [_bar(report, f"relations.{name}", group, title) for group, title in titles.items()]
            blocks.append((f"Relations, {mode.title}", bars))
    return blocks


def spans(report: Report) -> list[Bar]:
    """The four ways to match a mention, from the strictest on."""
    titles = {
        "strict": "span and label",
        "boundaries": "span alone",
        "overlap": "overlap counts half",
        "type": "label, spans overlap",
    }
    return [_bar(report, f"mentions.{name}.both", "all", title) for name, title in titles.items()]


def label_bars(report: Report, metric: str, group: str, beside: str | None = None) -> list[Bar]:
    """The score of each label that occurs; ``beside`` is the metric to hold it against."""
    tally = report.scores.tally(metric)
    second = report.scores.tally(beside) if beside in report.scores.metrics and beside else {}
    return [
        Bar(
            label,
            tally[label],
            report.intervals.get((metric, label)),
            second[label].f1 if label in second else None,
        )
        for label in in_order(tally, METRICS[metric].groups[group])
        if label in METRICS[metric].groups[group]
    ]


def _bar(report: Report, metric: str, group: str, title: str) -> Bar:
    counts = report.scores.counts(metric, METRICS[metric].groups[group])
    return Bar(title, counts, report.intervals.get((metric, group)))


def views(report: Report) -> list[Bar]:
    """The scores that other schemes would give, and triples of names."""
    titles = {
        "view.germeval": "GermEval 2014",
        "view.conll2003": "CoNLL-2003",
        "view.plover": "PLOVER events",
        "view.backoff": "coarse relations",
        "triples": "triples of names",
    }
    return [_bar(report, name, "all", title) for name, title in titles.items()]


def ladder(report: Report) -> list[Bar]:
    """What the model scores the more it has to find by itself."""
    return [
        _bar(report, name, "all", title) for name, title in LADDER.items() if name in report.scores.metrics
    ]


def waterfall(report: Report, side: str) -> list[Step]:
    """From all gold (or all predicted) relations down to those that are right, cause by cause."""
    counts = report.scores.counts("relations.strict.modality")
    losses = report.scores.lost("strict")
    table = causes_of(losses.missed if side == "missed" else losses.spurious, GROUPS["all"])
    whole = counts.gold if side == "missed" else counts.predicted
    if not whole:
        return []
    steps = [Step("in gold" if side == "missed" else "predicted", whole, 0.0, 100.0, "whole")]
    left = whole
    for cause, titles in CAUSES.items():
        count = table.get(cause, 0)
        if count:
            left -= count
            steps.append(
                Step(titles[side == "spurious"], count, 100 * left / whole, 100 * count / whole, "loss")
            )
    return [*steps, Step("right, modality too", left, 0.0, 100 * left / whole, "rest")]


def mention_matrix(report: Report) -> Matrix:
    """Which label was taken for which, on equal spans."""
    cells: Counter[tuple[str, str]] = Counter()
    for pair in report.pairs:
        gold, predicted = pair.readings
        cells += confused(gold.mentions, predicted.mentions)
    labels = [label for label in scheme.ENTITY_LABELS if any(label in key for key in cells)]
    return _matrix(cells, (*labels, ""))


def modality_matrix(report: Report) -> Matrix:
    """Which modality was taken for which, on the relations between actors that were found."""
    mode = "given" if "given" in report.scores.documents[0].confusions else "strict"
    return _matrix(
        square(report.scores.confusion(mode, "modality"), GROUPS["actors"]), tuple(scheme.MODALITIES)
    )


def _matrix(cells: Mapping[tuple[str, str], int], labels: Sequence[str]) -> Matrix:
    rows = []
    for gold in labels:
        counts = [cells.get((gold, said), 0) for said in labels]
        whole = max(1, sum(counts))
        shades = [0 if not count else min(9, 1 + 8 * count // whole) for count in counts]
        diagonal = [gold == said for said in labels]
        rows.append((gold, tuple(zip(counts, shades, diagonal, strict=True))))
    return Matrix(tuple(labels), tuple(rows))


def attributes(report: Report) -> list[tuple[str, list[tuple[str, float, float, int, int]]]]:
    """By mode: attribute, accuracy, F1, how many right of how many, over the relations between actors."""
    blocks = []
    for mode in report.scores.documents[0].confusions:
        rows = []
        for name in ATTRIBUTES:
            score = attribute_score(report.scores.confusion(mode, name), GROUPS["actors"])
            rows.append((name, score.accuracy, score.macro_f1, score.right, score.matched))
        blocks.append((MODES[mode].title, rows))
    return blocks


def diagrams(report: Report) -> dict[str, Reliability]:
    """The reliability of what has telling scores."""
    return {what: found for what, found in report.calibration.items() if found.is_telling}


def shown(report: Report) -> list[Shown]:
    """The documents with both readings, in order of gold; the worst ones where there are too many."""
    rows = list(zip(report.pairs, report.scores.documents, strict=True))
    if len(rows) > SHOWN:
        order = {id(row): number for number, row in enumerate(rows)}
        worst = sorted(rows, key=lambda row: -sum(f.status != HIT for f in row[1].findings))[:SHOWN]
        rows = sorted(worst, key=lambda row: order[id(row)])
    return [_show(pair, score) for pair, score in rows]


def _show(pair: Pair, score: DocumentScore) -> Shown:
    gold, predicted = pair.readings
    return Shown(
        pair.gold.id,
        pair.gold.language,
        sum(score.tallies["mentions.strict.both"].values(), Counts()),
        sum(score.tallies["relations.strict"].values(), Counts()),
        marked(pair.gold, gold, predicted),
        marked(pair.gold, predicted, gold),
        tuple(_crossing(pair.gold, pair.predicted)),
        tuple(f for f in score.findings if f.kind == "relation"),
    )


def _crossing(gold: Document, predicted: Document) -> Iterator[str]:
    for side, document in (("gold", gold), ("predicted", predicted)):
        for mention in nest(reading(document).mentions)[1]:
            yield f"{side}: {mention_words(document, mention)}"


def lead(report: Report) -> str:
    """The report in two sentences."""
    mentions = report.scores.counts("mentions.strict.both")
    strict = report.scores.counts("relations.strict")
    right = report.scores.counts("relations.strict.modality")
    return (
        f"Of {mentions.gold} mentions the model finds {mentions.hits} with exact borders and label, and "
        f"makes up {mentions.spurious}. Of {strict.gold} relations it finds {strict.hits}, "
        f"{right.hits} of them with the right modality, and makes up {strict.spurious}."
    )
