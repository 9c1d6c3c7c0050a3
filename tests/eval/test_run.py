"""The command: what it prints, what it leaves, and what it refuses, each in one line."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from annotations.document import Annotation
from annotations.formats.inline import write_inline
from annotations.formats.jsonl import write_jsonl
from eval.run import evaluate, main, write_report
from eval.scoring import Conditions
from tests.eval import worlds

GOLD = worlds.random_documents(1, 5)
PREDICTED = worlds.predictions_on(GOLD, 2)
GIVEN = worlds.given_on(GOLD, 3)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "gold.jsonl", GOLD)
    write_jsonl(tmp_path / "predicted.jsonl", PREDICTED, scores=True)
    write_jsonl(tmp_path / "given.jsonl", GIVEN, scores=True)
    return tmp_path


def run(files: Path, *arguments: str) -> int:
    return main([str(files / "gold.jsonl"), str(files / "predicted.jsonl"), *arguments])


def test_leaves_three_reports_and_prints_the_headlines(files, capsys):
    assert run(files, "--given", str(files / "given.jsonl"), "--output", str(files / "run")) == 0
    said = capsys.readouterr().out
    assert "relations, gold mentions given, the ten between actors" in said
    assert "depesche|metric:all" in said
    assert "too few for an interval between documents" in said
    names = sorted(p.name for p in (files / "run").iterdir())
    assert names == ["report.html", "report.json", "report.md"]
    record = json.loads((files / "run/report.json").read_text("utf-8"))
    strict = record["metrics"]["mentions.strict.both"]["groups"]["all"]
    ours = {m for d in GOLD for m in ((d.id, x) for x in d.annotation.mentions)}
    theirs = {m for d in PREDICTED for m in ((d.id, x) for x in d.annotation.mentions)}
    assert (strict["hits"], strict["support"]) == (len(ours & theirs), len(ours))


def test_the_same_input_gives_the_same_bytes(files, tmp_path):
    for name in ("one", "two"):
        write_report(evaluate(GOLD, PREDICTED, GIVEN), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_reads_the_folder_of_a_run_and_stand_off_gold(files, capsys):
    write_jsonl(files / "run/predictions.jsonl", PREDICTED, scores=True)
    (files / "run/rejected.jsonl").write_text("{}\n")
    write_jsonl(files / "standoff.jsonl", GOLD, stand_off=True)
    assert main([str(files / "standoff.jsonl"), str(files / "run")]) == 0
    assert "note: no prediction on gold mentions was given" in capsys.readouterr().out


def test_finds_what_the_run_predicted_on_gold_mentions(files, capsys):
    write_jsonl(files / "run/predictions.jsonl", PREDICTED, scores=True)
    write_jsonl(files / "run/given.jsonl", GIVEN, scores=True)
    assert main([str(files / "gold.jsonl"), str(files / "run")]) == 0
    assert "relations, gold mentions given, all" in capsys.readouterr().out
    write_jsonl(files / "run/given.jsonl", PREDICTED, scores=True)
    assert main([str(files / "gold.jsonl"), str(files / "run")]) == 0
    said = capsys.readouterr().out
    assert "note: given.jsonl of the run was made on other mentions" in said
    assert "relations, gold mentions given, all" not in said


def test_reads_every_format(files, capsys):
    for document in GOLD:
        write_inline(files / "inline" / f"{document.id}.inline", document)
    assert main([str(files / "inline"), str(files / "gold.jsonl")]) == 0
    assert "100.0" in capsys.readouterr().out


def test_a_limit_stands_in_the_signature_and_in_a_note(files, capsys):
    assert run(files, "--limit", "2") == 0
    said = capsys.readouterr().out
    assert "documents:2|limit:2" in said
    assert "only the first 2 document(s)" in said


def test_a_missing_prediction_is_named(files, capsys):
    write_jsonl(files / "predicted.jsonl", PREDICTED[1:], scores=True)
    assert run(files) == 0
    assert (
        "note: 1 document(s) without a prediction, counted as all missed: doc-000" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "gold.jsonl"], "nowhere: no such file or folder"),
        (["gold.jsonl", "nowhere"], "nowhere: no such file or folder"),
        (["gold.jsonl", "gold.jsonl", "--articles", "gone"], "gone: no such folder"),
        (["gold.jsonl", "gold.txt"], "gold.txt: unknown format '.txt'; expected .jsonl, .inline"),
        (["empty", "gold.jsonl"], "empty: holds no documents"),
        (["gold.jsonl", "other.jsonl"], "was predicted on another text"),
        (["gold.jsonl", "broken.jsonl"], "broken.jsonl:1: the line is no JSON"),
        (["unread.jsonl", "gold.jsonl"], "gold holds no annotated document"),
        (["gold.jsonl", "predicted.jsonl", "--given", "predicted.jsonl"], "was given other mentions"),
        (["gold.jsonl", "gold.jsonl", "--output", "gold.txt"], "gold.txt: cannot be written"),
    ],
)
def test_what_cannot_be_scored_is_one_line_each_and_2(files, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(files)
    Path("gold.txt").write_text("x")
    Path("empty").mkdir()
    Path("broken.jsonl").write_text("{\n")
    write_jsonl(Path("other.jsonl"), [replace(d, text=d.text + "!") for d in GOLD])
    write_jsonl(Path("unread.jsonl"), [replace(d, annotation=None) for d in GOLD])
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert all(line.startswith("eval.run: ") for line in error.splitlines())


def test_starts_without_torch_and_answers_in_two_seconds(files):
    code = (
        "import sys; from eval.run import main; main(sys.argv[1:]); "
        "print(sorted({'torch', 'transformers', 'pipeline', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(files / "gold.jsonl"), str(files / "predicted.jsonl")]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - started < 4.0  # on a busy machine; half a second on an idle one


def test_conditions_are_told(files):
    report = evaluate(GOLD, PREDICTED, conditions=Conditions("x", split="test", notes=("read me",)))
    assert report.notes[0] == "read me"
    assert report.scores.signature.split == "test"
    assert report.scores.name == "x"


def test_nothing_predicted_is_scored_too():
    empty = [replace(d, annotation=Annotation()) for d in GOLD]
    report = evaluate(GOLD, empty, [replace(d, annotation=Annotation(d.annotation.mentions)) for d in GOLD])
    assert all(report.scores.counts(name).f1 == 0.0 for name in report.scores.metrics)
    nothing = evaluate(empty, empty, empty)
    assert nothing.intervals == {}
