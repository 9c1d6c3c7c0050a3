"""A comparison of runs as Markdown: scores with tests, spreads, and what each run alone found."""

from __future__ import annotations

from collections.abc import Iterator

from eval.comparison import ALPHA, Comparison, Question, Run, only_in, seed_spread
from eval.report.markdown import percent, plain
from eval.significance import MINIMUM_SUPPORT


def render(comparison: Comparison) -> str:
    """The comparison as Markdown: scores, spreads, then what each run alone found."""
    runs = comparison.runs
    lines = [f"# {len(runs)} runs", "", f"`{runs[0].scores.signature}`", ""]
    lines += [f"- {plain(run.name)}" + (" (the one compared with)" if run is runs[0] else "") for run in runs]
    if comparison.left_out:
        left_out = ", ".join(comparison.left_out)
        lines += ["", f"Labels that not every run can say, left out of every score: {plain(left_out)}"]
    lines += ["", "| question | gold | run | F1 | 95 % interval | difference | p | |"]
    lines += ["| --- | ---: | --- | ---: | ---: | ---: | ---: | --- |"]
    for question in comparison.questions:
        lines += _question_rows(question)
    lines += ["", _explanation(comparison)]
    lines += ["", *_seeds(comparison)]
    for run in runs[1:]:
        lines += ["", *_alone(runs[0], run)]
    return "\n".join((*lines, ""))


def _question_rows(question: Question) -> Iterator[str]:
    small = question.support < MINIMUM_SUPPORT
    for number, answer in enumerate(question.answers):
        title, gold = (question.title, str(question.support)) if number == 0 else ("", "")
        bounds = f"{percent(answer.interval.low)}–{percent(answer.interval.high)}"
        compared = answer.probability is not None
        difference = f"{100 * answer.difference:+.1f}" if compared else ""
        chance = f"{answer.probability:.3f}" if answer.probability is not None else ""
        verdict = "too few to rank" if small and compared else answer.verdict
        score = percent(answer.f1)
        cells = (title, gold, plain(answer.run), score, bounds, difference, chance, verdict)
        yield f"| {' | '.join(cells)} |"


def _explanation(comparison: Comparison) -> str:
    method = comparison.questions[0].answers[0].interval.method
    many = ", corrected for the number of runs (Holm)" if len(comparison.runs) > 2 else ""
    few = " With so few documents no test can tell much." if method == "within documents" else ""
    return (
        f"Intervals: bootstrap {method}. p: paired permutation of documents, two-sided{many}; "
        f"at {ALPHA} or above the runs are not distinguishable.{few}"
    )


def _seeds(comparison: Comparison) -> Iterator[str]:
    rows = []
    for question in comparison.questions:
        for spread in seed_spread(comparison.runs, question.metric, question.group):
            names = ", ".join(f"{plain(run.name)} (seed {plain(run.seed or '')})" for run in spread.runs)
            deviations = (f"±{100 * spread.seeds:.1f}", f"±{100 * spread.data:.1f}")
            cells = (percent(spread.mean), *deviations, names)
            rows.append(f"| {question.title} | {' | '.join(cells)} |")
    if rows:
        yield "## Seeds and data"
        yield "Standard deviation of F1 between seeds, beside that which the choice of documents brings."
        yield ""
        yield "| question | mean F1 | seeds | data | runs |"
        yield "| --- | ---: | ---: | ---: | --- |"
        yield from rows


def _alone(first: Run, second: Run) -> Iterator[str]:
    sides = only_in(first.scores, second.scores)
    for side, run, other in (("first", first, second), ("second", second, first)):
        yield f"## Only {plain(run.name)}, not {plain(other.name)}"
        yield "+ found in gold, - claimed without gold"
        for name, rows in sides[side].items():
            yield f"\n### {plain(name)}\n"
            for sign, finding in rows:
                yield f"- {sign} {plain(finding.words)}"
        yield ""
