"""Draw what another dispatch is worth, and put table and drawing into the model's card.

python -m pipeline.train experiment=learning_curve articles=DIR output=runs/learning_curve
python scripts/make_curve.py runs/learning_curve --articles DIR
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotations import scheme
from annotations.corpus import read_corpus, read_texts
from annotations.document import Document
from eval.scoring import evaluate
from pipeline.folder import EMBEDDED

GOLD = Path(__file__).resolve().parent.parent / "annotations" / "gold"
ARTICLES = "article-"  # how their ids begin
QUESTIONS = {
    "mentions, both layers, strict": ("mentions.strict.both", "all"),
    "relations on gold mentions, all 16": ("relations.given", "all"),
    "relations on gold mentions, the ten": ("relations.given", "actors"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One score of one share."""

    documents: int
    part: str  # articles, or dispatches
    question: str
    f1: float
    low: float
    high: float


def points(run: Path, gold: Sequence[Document], total: int) -> list[Point]:
    """All scores of all shares, smallest share first. ``total``: training documents at 100 %."""
    found: list[Point] = []
    folders = sorted((run / "folds").iterdir(), key=lambda folder: float(folder.name.rstrip("%")))
    for folder in folders:
        share = float(folder.name.rstrip("%")) / 100
        predicted = read_corpus(folder / "predictions.jsonl", {})
        given = read_corpus(folder / "given.jsonl", {})
        for part in ("articles", "dispatches"):
            wanted = {d.id for d in gold if d.id.startswith(ARTICLES) == (part == "articles")}
            those, found_there, found_given = (
                [document for document in documents if document.id in wanted]
                for documents in (gold, predicted, given)
            )
            report = evaluate(those, found_there, found_given)
            for title, key in QUESTIONS.items():
                interval = report.intervals[key]
                counts = report.scores.counts(key[0], None if key[1] == "all" else scheme.ACTOR_RELATIONS)
                number = max(1, round(share * total))
                found.append(Point(number, part, title, counts.f1, interval.low, interval.high))
    return found


def table(found: Sequence[Point]) -> str:
    """Rows by question and part, columns by number of training documents."""
    sizes = sorted({point.documents for point in found})
    lines = [
        f"| F1 (95 % interval) | {' | '.join(f'{size} dispatches' for size in sizes)} |",
        "|---|" + "---|" * len(sizes),
    ]
    for question in QUESTIONS:
        for part in ("articles", "dispatches"):
            row = sorted(
                (p for p in found if p.question == question and p.part == part), key=lambda p: p.documents
            )
            cells = [f"{p.f1:.3f} ({p.low:.2f}–{p.high:.2f})" for p in row]
            lines.append(f"| {question}; {part} | {' | '.join(cells)} |")
    return "\n".join(lines)


def last_step(found: Sequence[Point]) -> str:
    """What the last doubling of the training documents gave, in a sentence."""
    before, after = sorted({point.documents for point in found})[-2:]
    gains = []
    for part in ("articles", "dispatches"):
        score = {(p.documents, p.question): p.f1 for p in found if p.part == part}
        steps = (f"{q} {score[after, q] - score[before, q]:+.3f}" for q in QUESTIONS)
        gains.append(f"{part}: {', '.join(steps)}")
    return f"From {before} to {after} dispatches, F1 changed on {'; on '.join(gains)}."


def draw(found: Sequence[Point], target: Path) -> None:
    """The same as an SVG; equal input gives equal bytes."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    with mpl.rc_context({"svg.hashsalt": "depesche", "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.8), sharey=True)
        for axis, part in zip(axes, ("articles", "dispatches"), strict=True):
            for question, colour in zip(QUESTIONS, ("#2a5c8f", "#8f3a2e", "#b98a2f"), strict=True):
                row = sorted(
                    (p for p in found if p.question == question and p.part == part),
                    key=lambda p: p.documents,
                )
                sizes = [p.documents for p in row]
                axis.fill_between(
                    sizes, [p.low for p in row], [p.high for p in row], color=colour, alpha=0.15
                )
                axis.plot(sizes, [p.f1 for p in row], color=colour, marker="o", label=question)
            titles = {"articles": "the five articles", "dispatches": "dispatches from unseen conflicts"}
            axis.set(title=titles[part], xlabel="training dispatches", ylim=(0, 1))
            axis.grid(axis="y", alpha=0.3)
        axes[0].set_ylabel("F1")
        axes[1].legend(frameon=False, fontsize=8, loc="lower right")
        figure.tight_layout()
        figure.savefig(target, format="svg", metadata={"Date": None})
        pyplot.close(figure)


def main() -> None:
    """Write the drawing beside the card, and the table into it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--articles", type=Path, required=True)
    options = parser.parse_args()
    gold = [
        *read_corpus(GOLD / "dispatches" / "test.jsonl", {}),
        *read_corpus(GOLD / "articles" / "articles.jsonl", read_texts(options.articles)),
    ]
    manifest = json.loads((options.run / "manifest.json").read_text("utf-8"))
    total = manifest["documents"]["dispatches"]["train"]
    found = points(options.run, gold, total)
    since = len(read_corpus(GOLD / "dispatches" / "train.jsonl", {})) - total
    draw(found, EMBEDDED / "learning_curve.svg")
    card = EMBEDDED / "README.md"
    start, end = "<!-- curve -->", "<!-- end of curve -->"
    before, _, rest = card.read_text("utf-8").partition(start)
    _, _, after = rest.partition(end)
    drawing = "![F1 over training dispatches](learning_curve.svg)"
    when = f" Measured before {since} more were written, with the encoder of that time." if since else ""
    content = f"{table(found)}\n\n{last_step(found)}{when}\n\n{drawing}"
    card.write_text(f"{before}{start}\n{content}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
