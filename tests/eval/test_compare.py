from dataclasses import replace
from pathlib import Path

import pytest

from annotations.document import Annotation
from eval.compare import main
from eval.comparison import ComparisonError, Run, compare, find_runs, only_in, read_run, seed_spread
from eval.report.comparison import render
from eval.run import evaluate, write_report
from eval.scoring import Conditions
from tests.eval import worlds

GOLD = worlds.random_documents(1, 12)


def scored(seed: int, noise: float = 0.3, **conditions):
    return evaluate(GOLD, worlds.predictions_on(GOLD, seed, noise), conditions=Conditions(**conditions))


GOOD, BAD, TWIN = scored(2, 0.05), scored(3, 0.9), scored(2, 0.05)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name, report in {"good": GOOD, "bad": BAD, "twin": TWIN}.items():
        write_report(report, tmp_path / name)
    return tmp_path


def test_what_differs_is_told_apart_and_what_does_not_is_not(runs, capsys):
    assert main([str(runs / name) for name in ("good", "bad", "twin")]) == 0
    said = capsys.readouterr().out
    rows = [line for line in said.splitlines() if line.startswith("|  |  | ")]
    assert all("worse" in row for row in rows if "| bad |" in row)
    assert all("not distinguishable" in row and "| 1.000 |" in row for row in rows if "| twin |" in row)
    assert "corrected for the number of runs (Holm)" in said
    assert "## Only good, not bad" in said


def test_a_stored_run_compares_as_the_fresh_one(runs):
    fresh = compare([Run("good", GOOD.scores), Run("bad", BAD.scores)])
    stored = compare([read_run(runs / "good"), read_run(runs / "bad")])
    assert fresh.questions == stored.questions
    assert render(fresh).splitlines()[5:] == render(stored).splitlines()[5:]


def test_what_only_one_found_is_listed_mention_by_mention():
    sides = only_in(GOOD.scores, BAD.scores)
    for document, pair in zip(GOOD.scores.documents, GOOD.pairs, strict=True):
        rows = sides["first"].get(document.id, [])
        found = [f for sign, f in rows if sign == "+" and f.kind == "mention"]
        worse = next(p for p in BAD.pairs if p.gold.id == document.id).predicted.annotation
        gold, ours = set(pair.gold.annotation.mentions), set(pair.predicted.annotation.mentions)
        assert len(found) == len((gold & ours) - set(worse.mentions))
        made_up = [f for sign, f in rows if sign == "-" and f.kind == "mention"]
        assert len(made_up) == len(ours - gold - set(worse.mentions))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (scored(2, limit=5), "limit: None and 5"),
        (scored(2, split="test"), "split: all and test"),
        (evaluate(GOLD[1:], worlds.predictions_on(GOLD[1:], 2)), "documents: 12 and 11"),
        (
            evaluate([replace(GOLD[0], annotation=Annotation()), *GOLD[1:]], worlds.predictions_on(GOLD, 2)),
            "corpus: ",
        ),
    ],
)
def test_what_is_not_comparable_is_not_compared(other, said):
    with pytest.raises(ComparisonError, match=said):
        compare([Run("a", GOOD.scores), Run("b", other.scores)])


def test_one_run_is_no_comparison():
    with pytest.raises(ComparisonError, match=r"1 run\(s\) to compare"):
        compare([Run("a", GOOD.scores)])


def test_runs_with_other_labels_are_compared_on_what_they_share():
    narrow = replace(BAD.scores, labels=frozenset({"PER", "GPE", "AIDS"}))
    found = compare([Run("a", GOOD.scores), Run("b", narrow)])
    assert "ORG (only a)" in found.left_out
    mentions = next(q for q in found.questions if q.metric == "mentions.strict.both")
    assert mentions.support == GOOD.scores.counts("mentions.strict.both", ("PER", "GPE")).gold
    helps = next(q for q in found.questions if q.metric == "view.backoff")
    assert helps.support == GOOD.scores.counts("view.backoff", ("HELPS",)).gold
    assert "Labels that not every run can say" in render(found)


def test_seeds_are_set_beside_data(runs):
    for seed, name in enumerate(("good", "bad"), 1):
        (runs / name / "config.yaml").write_text(f"lr: 1\nseed: {seed}\noutput: runs/{name}\n")
    family = [read_run(runs / name) for name in ("good", "bad", "twin")]
    (spread,) = seed_spread(family, "mentions.strict.both", "all")
    assert [run.seed for run in spread.runs] == ["1", "2"]
    assert spread.seeds > spread.data > 0
    assert "## Seeds and data" in render(compare(family))


def test_a_folder_of_runs_stands_for_all_of_them(tmp_path):
    for name in ("10", "9", "2"):
        write_report(GOOD, tmp_path / "multirun" / name)
    found = find_runs([tmp_path / "multirun"])
    assert [path.name for path in found] == ["2", "9", "10"]
    both = compare([read_run(tmp_path / "multirun/2"), read_run(tmp_path / "multirun/2")])
    assert [run.name for run in both.runs] == ["2 (1)", "2 (2)"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file. Score the run first"),
        ("{", "cannot be read"),
        ("{}", "no report of this project"),
        ('{"format": "depesche-report", "version": 0}', "a report of version 0; expected 1"),
        ('{"format": "depesche-report", "version": 1}', "a damaged report"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(runs, capsys, content, said):
    (runs / "broken").mkdir()
    if content is not None:
        (runs / "broken/report.json").write_text(content)
    assert main([str(runs / "good"), str(runs / "broken")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_writes_to_a_file_where_asked(runs, tmp_path, capsys):
    assert main([str(runs / "good"), str(runs / "bad"), "--output", str(tmp_path / "c.md")]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "c.md").read_text("utf-8").startswith("# 2 runs")
    assert main([str(runs / "gone")]) == 2
