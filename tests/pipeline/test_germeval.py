from __future__ import annotations

import json
from pathlib import Path

import pytest

from annotations.document import Document, Mention
from eval.counts import total
from eval.metrics.mentions import strict
from eval.sequences import read_tags, score
from pipeline.config import InputError, SettingsError, load
from pipeline.germeval import HELD_OUT, confirm, read_parts, tags, task
from pipeline.settings import GermevalSettings
from tests.pipeline import tiny

NAMES = ("Jonas", "Vaitkus", "Riga", "Moskau", "Kreml")


def labelled(folder: Path) -> Path:
    """A folder of corpora in which every sentence is another."""
    corpus = folder / "germeval2014"
    corpus.mkdir()
    for file, first, last in (("NER-de-dev.tsv", 0, 30), ("NER-de-test.tsv", 28, 40)):
        blocks = []
        for n in range(first, last):
            name = NAMES[n % len(NAMES)]
            blocks.append(f"1\tNr-{n}\tO\tO\n2\ttraf\tO\tO\n3\t{name}\tB-PER\tO\n4\tam\tI-PER\tO\n")
        (corpus / file).write_text("\n".join(blocks), "utf-8")
    return folder


def settings(encoder: Path, folder: Path, *more: str) -> GermevalSettings:
    given = [
        f"output={folder / 'run'}",
        f"labelled={folder}",
        f"encoder.name={encoder}",
        "head.window=24",
        "head.overlap=8",
        "optimization.epochs=2",
    ]
    return load("germeval", GermevalSettings, [*given, *more])


def test_the_parts_are_apart(encoder_folder: Path, tmp_path: Path) -> None:
    parts = read_parts(settings(encoder_folder, labelled(tmp_path)))
    texts = [{document.text for document in part} for part in (parts.train, parts.stop, parts.test)]
    assert [len(part) for part in texts] == [25, 3, 12]  # two of thirty stand in test
    assert not texts[0] & texts[1]
    assert not texts[2] & (texts[0] | texts[1])
    assert HELD_OUT == 10


def test_a_share_of_the_sentences_is_evenly_taken_and_leaves_the_others_alone(
    encoder_folder: Path, tmp_path: Path
) -> None:
    folder = labelled(tmp_path)
    whole = read_parts(settings(encoder_folder, folder))
    some = read_parts(settings(encoder_folder, folder, "share=0.4"))
    places = [whole.train.index(document) for document in some.train]
    assert places == [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]
    assert (some.stop, some.test) == (whole.stop, whole.test)
    with pytest.raises(SettingsError, match=r"share=0\.0: expected more than 0"):
        settings(encoder_folder, folder, "share=0.0")


def test_a_run_leaves_a_figure_that_another_scorer_confirms(
    encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled(tmp_path)
    dispatches = ["+corpus@corpora.dispatches=dispatches", "+mix.dispatches=0.1"]
    given = settings(encoder_folder, tmp_path, *dispatches)
    given.corpora["dispatches"].train = ["small.jsonl"]
    given.corpora["dispatches"].development = given.corpora["dispatches"].test = []
    given.corpora["dispatches"].path = str(tmp_path)
    line = {"id": "a", "text": "Jonas traf Moskau.", "entities": [], "relations": []}
    (tmp_path / "small.jsonl").write_text(json.dumps(line), "utf-8")
    assert task(given) == 0
    record = json.loads((tmp_path / "run" / "germeval.json").read_text("utf-8"))
    assert record["sentences"] == {"train": 25, "stop": 3, "test": 12}
    assert record["beside"] == {"dispatches": {"documents": 1, "share": 0.1}}
    assert "strict F1, outer" in capsys.readouterr().out
    folder = tmp_path / "run" / "seed-1"
    other = score(read_tags(folder / "gold.tsv"), read_tags(folder / "predicted.tsv"))
    assert other.overall.f1 == pytest.approx(record["f1"])
    assert other.overall.gold == 12
    assert not (folder / "state").exists()
    task(given)
    assert "epoch" not in capsys.readouterr().out  # what is there is not trained again


def test_an_encoder_of_the_same_name_with_other_weights_is_trained_anew(tmp_path: Path) -> None:
    labelled(tmp_path)
    (tmp_path / "encoder").mkdir()
    given = settings(tiny.encoder(tmp_path / "encoder"), tmp_path, "optimization.epochs=1")
    task(given)
    counts = tmp_path / "run" / "seed-1" / "counts.json"
    before = json.loads(counts.read_text("utf-8"))["key"]
    tiny.encoder(tmp_path / "encoder", spread=0.3)
    task(given)
    assert json.loads(counts.read_text("utf-8"))["key"] != before


def test_a_corpus_without_a_share_is_refused(encoder_folder: Path, tmp_path: Path) -> None:
    given = settings(encoder_folder, labelled(tmp_path), "+corpus@corpora.dispatches=dispatches")
    with pytest.raises(InputError, match="mix names none"):
        read_parts(given)


def test_tags_of_tokens() -> None:
    document = Document("a", "Die EU-Truppen in Riga")
    found = tags(document, [Mention(4, 14, "ORGpart"), Mention(15, 22, "LOC")])
    assert found == ["O", "B-ORGpart", "B-LOC", "I-LOC"]
    with pytest.raises(ValueError, match="cuts a token"):
        tags(document, [Mention(4, 6, "ORG")])


def test_another_scorer_must_agree() -> None:
    document = Document("a", "Die EU-Truppen in Riga und Ulm")
    gold = [Mention(4, 14, "ORGpart"), Mention(18, 22, "LOC"), Mention(27, 30, "LOC")]
    predicted = [Mention(4, 14, "ORG"), Mention(18, 22, "LOC"), Mention(23, 30, "LOC")]
    counts = total(strict(gold, predicted))
    assert counts.f1 == pytest.approx(1 / 3)
    sides = [tags(document, gold)], [tags(document, predicted)]
    confirm(counts, *sides)
    with pytest.raises(RuntimeError, match="seqeval says"):
        confirm(total(strict(gold, gold)), *sides)
