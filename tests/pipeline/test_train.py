"""The real training command on a handful of documents and a tiny encoder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from annotations.corpus import read_corpus
from annotations.document import Document, text_sha256
from annotations.formats.jsonl import write_jsonl
from eval.run import main as judge
from pipeline import checkpoint
from pipeline.config import InputError, SettingsError, load
from pipeline.protocols import Fold
from pipeline.settings import TrainSettings
from pipeline.train import task


@pytest.fixture
def corpus(tmp_path: Path, small: Document) -> Path:
    """Six documents of different texts: a word before each."""
    folder = tmp_path / "corpus"

    def shifted(number: int) -> Document:
        assert small.annotation is not None
        lead = f"({number}) "

        def move(mention):  # type: ignore[no-untyped-def]
            return (
                None
                if mention is None
                else replace(mention, start=mention.start + len(lead), end=mention.end + len(lead))
            )

        relations = tuple(
            replace(
                r,
                head=move(r.head),
                tail=move(r.tail),
                source=move(r.source),
                time=move(r.time),
                place=move(r.place),
            )
            for r in small.annotation.relations
        )
        mentions = tuple(move(m) for m in small.annotation.mentions)
        return Document(
            f"d{number}",
            lead + small.text,
            annotation=replace(small.annotation, mentions=mentions, relations=relations),
        )

    documents = [shifted(number) for number in range(6)]
    write_jsonl(folder / "train.jsonl", documents[:3])
    write_jsonl(folder / "development.jsonl", documents[3:4])
    write_jsonl(folder / "test.jsonl", documents[4:])
    write_jsonl(folder / "plain.jsonl", [Document("plain", small.text)])
    return folder


def settings(corpus: Path, output: Path, encoder: Path, *overrides: str) -> TrainSettings:
    arguments = [
        f"output={output}",
        f"corpora.dispatches.path={corpus}",
        f"encoder.name={encoder}",
        "head.hidden=16",
        "head.window=24",
        "head.overlap=8",
        "optimization.epochs=2",
        *overrides,
    ]
    return load("train", TrainSettings, arguments)


def test_one_command_trains_scores_and_leaves_a_model(
    corpus: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run"
    assert task(settings(corpus, output, encoder_folder)) == 0
    printed = capsys.readouterr().out
    assert "| baseline |" in printed
    for name in ("config.yaml", "manifest.json", "predictions.jsonl", "report.json", "scores.md"):
        assert (output / name).is_file(), name
    assert (output / "baseline" / "report.json").is_file()
    model = checkpoint.load(checkpoint.find(str(output)))
    train = read_corpus(corpus / "train.jsonl", {})
    assert {text_sha256(document.text) for document in train} <= set(model.origin.trained_on)
    test = read_corpus(corpus / "test.jsonl", {})
    assert not {text_sha256(document.text) for document in test} & set(model.origin.trained_on)
    assert judge([str(corpus / "test.jsonl"), str(output / "predictions.jsonl")]) == 0


def test_each_document_is_read_by_a_model_that_has_not_seen_it(
    corpus: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "loo"
    wanted = settings(
        corpus, output, encoder_folder, "protocol=leave_one_out", "leave_out=dispatches", "seeds=[1,2]"
    )
    task(wanted)
    for seed in (1, 2):
        folds = sorted((output / f"seed-{seed}" / "folds").iterdir())
        assert [fold.name for fold in folds] == [f"d{n}" for n in range(6)]
        for fold in folds:
            card = json.loads((fold / "checkpoint" / "depesche.json").read_text("utf-8"))
            assert len(card["trained_on"]) == 5
        predicted = read_corpus(output / f"seed-{seed}" / "predictions.jsonl", {})
        assert [document.id for document in predicted] == [f"d{n}" for n in range(6)]
    assert " ± " in (output / "scores.md").read_text("utf-8")
    # A second call finds every fold done, and trains nothing.
    capsys.readouterr()
    task(wanted)
    assert "epoch" not in capsys.readouterr().out


def test_a_growing_share_of_the_documents(corpus: Path, encoder_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "curve"
    task(settings(corpus, output, encoder_folder, "protocol=learning_curve"))
    assert sorted(f.name for f in (output / "folds").iterdir()) == ["10%", "100%", "25%", "50%"]
    for fold in (output / "folds").iterdir():
        assert (fold / "report.json").is_file()
        assert (fold / "predictions.jsonl").is_file()
    scores = (output / "scores.md").read_text("utf-8")
    assert [line for line in scores.splitlines() if line.startswith("## ")] == [
        "## 10%",
        "## 25%",
        "## 50%",
        "## 100%",
    ]


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("protocol=guess", "protocol=guess: expected one of single"),
        ("corpora.dispatches.train=[]", "no training documents"),
        ("corpora.dispatches.train=[nowhere.jsonl]", "nowhere.jsonl: no such file"),
        ("encoder.name=/nowhere", "encoder.name=/nowhere"),
        ("corpora.dispatches.train=[plain.jsonl]", "plain.jsonl:1: 'plain' has no annotation"),
        ("corpora.dispatches.test=[train.jsonl]", "the same text is for training and for testing"),
        ("+corpus@corpora.articles=articles", "no text with the SHA-256"),
    ],
)
def test_what_cannot_be_trained_is_said(
    corpus: Path, encoder_folder: Path, tmp_path: Path, override: str, what: str
) -> None:
    with pytest.raises(InputError, match=what.replace(".", r"\.").replace("(", r"\(")):
        task(settings(corpus, tmp_path / "x", encoder_folder, override))


def test_a_leak_cannot_be_built(small: Document) -> None:
    with pytest.raises(InputError, match="klein"):
        Fold("f", (small,), (), (replace(small, id="klein"),))


def test_settings_that_would_fail_at_the_end_fail_at_the_start() -> None:
    for override, what in (("weights=float16", "weights=float16"), ("seeds=[]", "seeds")):
        with pytest.raises(SettingsError, match=what):
            load("train", TrainSettings, ["output=x", override])


def test_a_fold_stays_in_its_folder(small: Document) -> None:
    names = [Fold(name, (small,), (), ()).folder for name in ("../../x", "/etc", "a/b", "..", "10%", "d-1")]
    assert names == ["_.._.._x", "_etc", "a_b", "_..", "10%", "d-1"]
