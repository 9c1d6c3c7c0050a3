"""The real command on odd input: everything is read with exact offsets, or set aside with a reason."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from annotations.check import check_paths
from annotations.document import Annotation, Document, Mention, Relation, text_sha256
from annotations.formats.jsonl import read_jsonl, write_jsonl
from pipeline.config import InputError, SettingsError, load
from pipeline.run import RunSettings, main, task

ODD: dict[str, bytes] = {
    "leer": b"",
    "leerraum": b" \n\t\n ",
    "kaputt": b"Der Kreml \xff\xfe schwieg.",
    "utf16": "Der Kreml".encode("utf-16"),
    "nullen": b"Der Kreml\x00 schwieg\x00.",
    "crlf": "Der Präsident traf\r\nam Montag Jonas Vaitkus.\r\n".encode(),
    "zerlegt": "Der litauische Pra\u0308sident in Riga.".encode(),
    "emoji": "\U0001f1fa\U0001f1e6 Der \U0001f468\u200d\U0001f469 Präsident traf \U0001f600.".encode(),
    "bidi": "Der \u202eKreml\u202c in Riga".encode(),
    "bom": "\ufeffDer Kreml in Riga.".encode(),
    "gut": "Der litauische Präsident Jonas Vaitkus traf am Montag in Riga die Sprecherin.".encode(),
}
SET_ASIDE = {"leer": "empty", "leerraum": "empty", "kaputt": "invalid_utf8", "utf16": "invalid_utf8"}


@pytest.fixture(autouse=True)
def registered() -> None:
    import contextlib
    import sys
    from unittest.mock import patch

    with patch.object(sys, "argv", ["x", "--help"]), contextlib.suppress(SystemExit):
        main()


def run(source: Path, output: Path, model: Path, *overrides: str) -> int:
    arguments = [f"input={source}", f"output={output}", f"model={model}", *overrides]
    return task(load("run", RunSettings, arguments))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_odd_files_are_read_exactly_or_set_aside(tmp_path: Path, model_folder: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name, data in ODD.items():
        (source / f"{name}.txt").write_bytes(data)
    assert run(source, output, model_folder) == 0
    read = read_jsonl(output / "predictions.jsonl").checked()
    rejected = lines(output / "rejected.jsonl")
    assert {row["id"]: row["reason"] for row in rejected} == SET_ASIDE
    assert {document.id for document in read} == set(ODD) - set(SET_ASIDE)
    for document in read:
        assert document.text.encode() == ODD[document.id]
    wrong = [p for p in check_paths([output / "predictions.jsonl"], {}) if not p.hint]
    assert not [p for p in wrong if "quotation" not in p.what]
    manifest = json.loads((output / "manifest.json").read_text("utf-8"))
    assert manifest["counts"]["pieces_truncated"] == 0
    assert manifest["counts"]["documents"] + manifest["dropped"]["documents_set_aside"] == len(ODD)


def test_names_of_files_may_be_any_bytes_and_folders_are_no_texts(tmp_path: Path, model_folder: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    latin = os.fsdecode("Präsident.txt".encode("latin-1"))
    try:
        (source / latin).write_bytes(ODD["gut"])
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    (source / os.fsdecode("für.txt".encode("latin-1"))).write_bytes(ODD["kaputt"])
    (source / "._gut.txt").write_bytes(b"\x00\x05\x16\x07\xff")  # what macOS leaves beside a file
    (source / "alt.txt").mkdir()
    assert run(source, output, model_folder) == 0
    assert [row["id"] for row in lines(output / "predictions.jsonl")] == ["Pr\ufffdsident"]
    (row,) = lines(output / "rejected.jsonl")
    assert (row["id"], row["reason"]) == ("f\ufffdr", "invalid_utf8")
    manifest = json.loads((output / "manifest.json").read_text("utf-8"))
    assert latin in manifest["input"]["sha256"]


def test_scores_of_an_earlier_run_do_not_stay(tmp_path: Path, model_folder: Path, small: Document) -> None:
    write_jsonl(tmp_path / "gold.jsonl", [small])
    write_jsonl(tmp_path / "plain.jsonl", [Document("d", small.text)])
    run(tmp_path / "gold.jsonl", tmp_path / "out", model_folder)
    assert (tmp_path / "out" / "report.json").is_file()
    run(tmp_path / "plain.jsonl", tmp_path / "out", model_folder)
    assert not list((tmp_path / "out").glob("report.*"))


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_lets_something_through(tmp_path: Path, model_folder: Path, limit: int) -> None:
    (tmp_path / "gut.txt").write_bytes(ODD["gut"])
    with pytest.raises(SettingsError, match="limit"):
        run(tmp_path / "gut.txt", tmp_path / "out", model_folder, f"limit={limit}")


def test_the_output_is_a_folder(tmp_path: Path, model_folder: Path) -> None:
    (tmp_path / "gut.txt").write_bytes(ODD["gut"])
    with pytest.raises(InputError, match="expected a folder"):
        run(tmp_path / "gut.txt", tmp_path / "gut.txt", model_folder)


def test_good_neighbours_are_read_as_if_alone(tmp_path: Path, model_folder: Path) -> None:
    alone, among = tmp_path / "alone", tmp_path / "among"
    alone.mkdir()
    among.mkdir()
    (alone / "gut.txt").write_bytes(ODD["gut"])
    for name, data in ODD.items():
        (among / f"{name}.txt").write_bytes(data)
    run(alone, tmp_path / "a", model_folder)
    run(among, tmp_path / "b", model_folder)
    (first,) = lines(tmp_path / "a" / "predictions.jsonl")
    assert first in lines(tmp_path / "b" / "predictions.jsonl")


def test_bad_lines_of_a_corpus_are_set_aside_with_all_their_problems(
    tmp_path: Path, model_folder: Path, small: Document
) -> None:
    source, output = tmp_path / "c.jsonl", tmp_path / "out"
    write_jsonl(source, [small])
    good = source.read_bytes()
    bad = json.loads(good)
    bad["id"] = "bad"
    bad["entities"][0]["end"] = 10_000
    bad["entities"][1]["label"] = "NONSENSE"
    surrogate = b'{"id": "halb", "text": "Der Kreml \\ud83d schwieg."}\n'
    source.write_bytes(good + json.dumps(bad).encode() + b"\n{broken\n" + surrogate + good)
    assert run(source, output, model_folder) == 0
    rejected = lines(output / "rejected.jsonl")
    assert [(row["line"], row["reason"]) for row in rejected] == [
        (2, "invalid_record"),
        (3, "invalid_record"),
        (5, "duplicate_id"),
    ]
    assert rejected[0]["detail"].count(f"{source}:2:") == 2
    read = {document.id: document for document in read_jsonl(output / "predictions.jsonl").checked()}
    assert read["halb"].text == "Der Kreml \ufffd schwieg."


def test_gold_is_scored_and_training_texts_are_named(
    tmp_path: Path, model_folder: Path, small: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from pipeline import checkpoint

    folder = Path(shutil.copytree(model_folder, tmp_path / "model"))
    card = json.loads((folder / "depesche.json").read_text("utf-8"))
    card["trained_on"] = [text_sha256(small.text)]
    (folder / "depesche.json").write_text(json.dumps(card), "utf-8")
    checkpoint.write_sums(folder)
    write_jsonl(tmp_path / "c.jsonl", [small])
    run(tmp_path / "c.jsonl", tmp_path / "out", folder)
    assert "CAUTION" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert "part of the model's training" in json.dumps(report)
    assert "part of the model" in (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "part of the model" in (tmp_path / "out" / "reading.html").read_text("utf-8")


def test_the_table_has_a_row_a_relation_and_no_formulas(
    tmp_path: Path, model_folder: Path, small: Document
) -> None:
    formula = Document("=1+1", "=SUMME(A1) " + small.text)
    write_jsonl(tmp_path / "c.jsonl", [formula])
    run(tmp_path / "c.jsonl", tmp_path / "out", model_folder)
    (predicted,) = read_jsonl(tmp_path / "out" / "predictions.jsonl").checked()
    assert predicted.annotation is not None
    assert predicted.annotation.relations
    with (tmp_path / "out" / "relations.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(predicted.annotation.relations)
    for row in rows:
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values())
        assert row["document"] == "'=1+1"
        head = predicted.text[int(row["head_start"]) : int(row["head_end"])]
        assert " ".join(head.split()) in row["evidence"]


def test_a_long_document_is_read_to_its_end(tmp_path: Path, model_folder: Path) -> None:
    text = "Der litauische Präsident traf in Riga Jonas Vaitkus. " * 300
    (tmp_path / "lang.txt").write_text(text, encoding="utf-8")
    run(tmp_path / "lang.txt", tmp_path / "out", model_folder, "engine.pieces=20000")
    (predicted,) = read_jsonl(tmp_path / "out" / "predictions.jsonl").checked()
    assert predicted.annotation is not None
    assert max(mention.end for mention in predicted.annotation.mentions) > len(text) - 60
    assert max(relation.tail.end for relation in predicted.annotation.relations) > len(text) - 60


def test_a_gold_relation_out_of_reach_is_blamed_on_the_pair_that_was_not_asked(
    tmp_path: Path, model_folder: Path
) -> None:
    gap = "Niemand sprach. " * 4
    text = f"Vaitkus kam. {gap}Kalna kam auch."
    tail = Mention(text.index("Kalna"), text.index("Kalna") + 5, "PER")
    head = Mention(0, 7, "PER")
    far = Document("weit", text, annotation=Annotation((head, tail), (Relation(head, tail, "CONSULTS"),)))
    write_jsonl(tmp_path / "c.jsonl", [far])
    run(tmp_path / "c.jsonl", tmp_path / "out", model_folder)
    (document,) = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["documents"]
    assert ["CONSULTS", "pair", 1] in document["losses"]["given"]["missed"]


def test_a_run_that_breaks_leaves_the_old_files(tmp_path: Path, model_folder: Path) -> None:
    from pipeline.outputs.writer import RunWriter

    (tmp_path / "predictions.jsonl").write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError, match="no"), RunWriter(tmp_path):
        raise RuntimeError("no")
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.jsonl"]
    assert (tmp_path / "predictions.jsonl").read_text("utf-8") == "old"


def test_where_nothing_can_be_read_the_status_says_so(tmp_path: Path, model_folder: Path) -> None:
    (tmp_path / "leer.txt").write_bytes(b"")
    assert run(tmp_path / "leer.txt", tmp_path / "out", model_folder) == 1
    assert (tmp_path / "out" / "reading.html").is_file()
