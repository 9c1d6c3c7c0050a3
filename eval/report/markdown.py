"""report.md, and the short table that a command prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from annotations import scheme
from annotations.views import VIEWS
from eval.counts import Counts
from eval.losses import CAUSES, LADDER
from eval.metrics import METRICS
from eval.metrics.attributes import attribute_score, square
from eval.metrics.relations import ATTRIBUTES, GROUPS, MODES
from eval.report.record import causes_of, in_order
from eval.scoring import Report
from eval.significance import MINIMUM_SUPPORT

HEADLINES = (
    ("mentions.strict.both", "all"),
    ("mentions.strict.outer", "all"),
    ("mentions.strict.inner", "all"),
    *((f"relations.{mode}", group) for mode in MODES for group in GROUPS),
)
GROUP_TITLES = {"all": "all", "static": "the six static", "actors": "the ten between actors"}


def summary(report: Report) -> str:
    """The headline scores as plain text, for a terminal."""
    rows: list[Sequence[str]] = [("", "precision", "recall", "F1", "95 % interval", "gold")]
    rows += [_headline(report, name, group) for name, group in _present(report)]
    first, *widths = (max(len(row[i]) for row in rows) for i in range(6))
    lines = []
    for title, *cells in rows:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        lines.append("  ".join((title.ljust(first), *padded)))
    notes = [f"note: {plain(note)}" for note in report.notes]
    return "\n".join((*lines, str(report.scores.signature), *notes))


def render(report: Report) -> str:
    """The whole report as Markdown."""
    title = report.scores.name or "Scores"
    parts = [
        f"# {plain(title)}",
        f"`{report.scores.signature}`",
        *(["\n".join(f"- {plain(note)}" for note in report.notes)] if report.notes else []),
        "## Overview",
        _table(
            ("question", "precision", "recall", "F1", "95 % interval", "gold"),
            (_headline(report, name, group) for name, group in _present(report)),
        ),
        *_labels(report),
        *_attributes(report),
        *_losses(report),
        *_calibration(report),
        *_all_metrics(report),
        *_documents(report),
    ]
    return "\n\n".join(parts) + "\n"


def _present(report: Report) -> list[tuple[str, str]]:
    return [(name, group) for name, group in HEADLINES if name in report.scores.metrics]


def _headline(report: Report, name: str, group: str) -> Sequence[str]:
    title = METRICS[name].title
    title = f"{title}, {GROUP_TITLES[group]}" if name.startswith("relations") else title
    counts = report.scores.counts(name, METRICS[name].groups[group])
    return (title, *_ratios(counts), _bounds(report, name, group), str(counts.gold))


def _ratios(counts: Counts) -> tuple[str, str, str]:
    precision = percent(counts.precision) if counts.predicted else "–"
    if not counts.gold:
        return precision, "–", "–"
    return precision, percent(counts.recall), percent(counts.f1)


def percent(share: float) -> str:
    """A share as a percentage with one decimal, without the sign."""
    return f"{100 * share:.1f}"


def _bounds(report: Report, name: str, key: str) -> str:
    interval = report.intervals.get((name, key))
    return "" if interval is None else f"{percent(interval.low)}–{percent(interval.high)}"


def _labels(report: Report) -> Iterator[str]:
    names = ("mentions.strict.both", *(f"relations.{mode}" for mode in MODES))
    for name in names:
        if name not in report.scores.metrics:
            continue
        tally = report.scores.tally(name)
        yield f"## Per label: {METRICS[name].title}"
        yield _table(
            ("label", "precision", "recall", "F1", "95 % interval", "gold", "hits", "spurious", "missed"),
            (
                (
                    label if tally[label].gold >= MINIMUM_SUPPORT else f"{label} *",
                    *_ratios(tally[label]),
                    _bounds(report, name, label),
                    *map(str, (tally[label].gold, tally[label].hits)),
                    *map(str, (tally[label].spurious, tally[label].missed)),
                )
                for label in in_order(tally, METRICS[name].labels)
            ),
        )
    yield f"\\* fewer than {MINIMUM_SUPPORT} in gold: shown, but too few for an interval or a rank."


def _attributes(report: Report) -> Iterator[str]:
    scores = report.scores
    yield "## Modality, source, time and place on the relations found"
    rows = []
    for mode in scores.documents[0].confusions:
        for group in ("all", "actors"):
            for name in ATTRIBUTES:
                score = attribute_score(scores.confusion(mode, name), GROUPS[group])
                found = f"{score.right} of {score.matched}"
                title = f"{MODES[mode].title}, {GROUP_TITLES[group]}"
                rows.append((title, name, percent(score.accuracy), percent(score.macro_f1), found))
    yield _table(("relations", "attribute", "accuracy", "F1 (modality: macro)", "right"), rows)
    best = "given" if "given" in scores.documents[0].confusions else "strict"
    cells = square(scores.confusion(best, "modality"), GROUPS["actors"])
    yield f"Modality, {MODES[best].title}, the ten between actors: gold down, predicted across."
    yield _table(
        ("gold", *scheme.MODALITIES),
        ((gold, *(str(cells[gold, said]) for said in scheme.MODALITIES)) for gold in scheme.MODALITIES),
    )


def _losses(report: Report) -> Iterator[str]:
    scores = report.scores
    yield "## Where relations are lost"
    yield "Each relation that is not found with its modality, end to end, has one first cause."
    losses = scores.lost("strict")
    for side, found in (("missed", losses.missed), ("spurious", losses.spurious)):
        tables = [causes_of(found, GROUPS[group]) for group in GROUP_TITLES]
        titles = {cause: words[side == "spurious"] for cause, words in CAUSES.items()}
        rows = [
            (titles[cause], *(str(table.get(cause, 0)) for table in tables))
            for cause in CAUSES
            if any(table.get(cause) for table in tables)
        ]
        rows.append(("**all**", *(f"**{sum(table.values())}**" for table in tables)))
        yield _table((f"{side}: first cause", *GROUP_TITLES.values()), rows)
    rungs = [name for name in LADDER if name in scores.metrics]
    yield _table(
        ("given to the model", *(f"F1, {title}" for title in GROUP_TITLES.values())),
        (
            (LADDER[name], *(percent(scores.counts(name, labels).f1) for labels in GROUPS.values()))
            for name in rungs
        ),
    )


def _calibration(report: Report) -> Iterator[str]:
    yield "## Calibration"
    yield _table(
        ("scores of", "predictions", "expected calibration error", "Brier score"),
        (
            (what, str(found.count), f"{found.error:.3f}", f"{found.brier:.3f}")
            for what, found in report.calibration.items()
        ),
    )


def _all_metrics(report: Report) -> Iterator[str]:
    yield "## Every question"
    rows = []
    for name in report.scores.metrics:
        counts = report.scores.counts(name, METRICS[name].groups["all"])
        rows.append((f"`{name}`", METRICS[name].title, *_ratios(counts), _bounds(report, name, "all")))
    yield _table(("name", "question", "precision", "recall", "F1", "95 % interval"), rows)
    yield "\n".join(f"- {line}" for line in left_out())


def left_out() -> list[str]:
    """What each view does not show: one line for each that leaves something out."""
    titles = {"germeval": "As GermEval 2014 names them", "conll2003": "As CoNLL-2003 names them"}
    return [
        f"{title}, without {', '.join(x for x in VIEWS[name].left_out if x in scheme.ENTITY_LABELS)}"
        for name, title in titles.items()
    ]


def _documents(report: Report) -> Iterator[str]:
    yield "## Document by document"
    asked = ("mentions.strict.both", "relations.given", "relations.boundaries", "relations.strict")
    names = [name for name in asked if name in report.scores.metrics]
    columns = [report.scores.per_document(name) for name in names]
    rows = (
        (plain(document.id), *(percent(column[number].f1) for column in columns))
        for number, document in enumerate(report.scores.documents)
    )
    yield _table(("F1", *(METRICS[name].title for name in names)), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    numbers = len(head) - 1
    rule = "| --- |" + " ---: |" * numbers
    lines = [f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)


def plain(words: str) -> str:
    """Words that come from outside, in one line, so that no Markdown, HTML or terminal code takes effect."""
    flat = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in words)
    return "".join(f"\\{c}" if c in "\\`*_[]<>|~&" else c for c in " ".join(flat.split()))
