import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from annotations.document import Annotation, Document, Mention, text_sha256
from annotations.formats.jsonl import parse_line, read_jsonl, to_record, write_jsonl
from annotations.formats.reading import Place
from annotations.problems import CorpusError
from tests.generated import attributes, documents

PLACE = Place("f.jsonl", 1)


def record(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": "d",
        "text": "Putin traf Trump.",
        "entities": [
            {"id": "T1", "label": "PER", "start": 0, "end": 5},
            {"id": "T2", "label": "PER", "start": 11, "end": 16},
        ],
        "relations": [{"id": "R1", "label": "CONSULTS", "head": "T1", "tail": "T2"}],
    }
    return base | changes


@given(documents())
def test_what_is_written_is_read_again(document: Document) -> None:
    row = json.dumps(to_record(document, stand_off=False, scores=False)).encode()
    again, problems = parse_line(row, PLACE, {})
    assert not problems
    assert again == document
    assert attributes(again) == attributes(document)


@given(documents())
def test_stand_off_annotation_finds_its_text(document: Document) -> None:
    row = to_record(document, stand_off=True, scores=False)
    assert "text" not in row
    assert all(document.text[e["start"] : e["end"]] == e["surface"] for e in row["entities"])
    again, problems = parse_line(json.dumps(row).encode(), PLACE, {text_sha256(document.text): document.text})
    assert not problems
    assert again == document


def test_nobody_looked_is_not_the_same_as_nothing_found(tmp_path: Path) -> None:
    looked = Document("a", "x", annotation=Annotation())
    write_jsonl(tmp_path / "c.jsonl", [Document("b", "x"), looked])
    first, second = read_jsonl(tmp_path / "c.jsonl").checked()
    assert first.annotation is None
    assert second.annotation == Annotation()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"entities": [{"id": "T1", "label": "PER", "start": 0, "end": 99}], "relations": []}, "[0, 99)"),
        ({"entities": [{"id": "T1", "label": "PER", "start": 5, "end": 5}], "relations": []}, "[5, 5)"),
        ({"entities": [{"id": "T1", "label": "PERSON", "start": 0, "end": 5}], "relations": []}, "'PERSON'"),
        (
            {
                "entities": [{"id": "T1", "label": "PER", "start": 0, "end": 5, "surface": "Trump"}],
                "relations": [],
            },
            "'Trump'",
        ),
        ({"relations": [{"id": "R", "label": "CONSULTS", "head": "T1", "tail": "T9"}]}, "'T9'"),
        ({"relations": [{"id": "R", "label": "MEETS", "head": "T1", "tail": "T2"}]}, "'MEETS'"),
        (
            {"relations": [{"id": "R", "label": "CONSULTS", "head": "T1", "tail": "T2", "modality": "x"}]},
            "'x'",
        ),
        ({"relations": [{"id": "R", "label": "CONSULTS", "head": "T1", "tail": "T1"}]}, "itself"),
        (
            {
                "relations": [
                    {"id": "R", "label": "CONSULTS", "head": "T1", "tail": "T2", "modality": "denied"},
                    {"id": "S", "label": "CONSULTS", "head": "T2", "tail": "T1"},
                ]
            },
            "S says again what relation R says",
        ),
        (
            {"entities": [{"id": name, "label": "PER", "start": 0, "end": 5} for name in ("A", "B")]},
            "B says again what A says",
        ),
        ({"entities": [{"id": "T1", "label": "PER", "start": False, "end": True}]}, "span"),
        ({"text": None}, "neither text nor text_sha256"),
        ({"text_sha256": "00"}, "not that of the text"),
        ({"id": ""}, "no id"),
        ({"entities": "no"}, "no list"),
        ({"meta": {"a": 1}}, "flat map"),
        ({"entities": [{"id": "T1", "label": "PER", "start": 0, "end": 5, "score": 2}]}, "score"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], what: str) -> None:
    document, problems = parse_line(json.dumps(record(**changes)).encode(), PLACE, {})
    assert document is None
    assert any(what in str(problem) for problem in problems), problems


def test_a_number_of_thousands_of_digits_is_a_problem() -> None:
    document, problems = parse_line(b'{"text": "\\ud83d", "x": ' + b"1" * 5000 + b"}", PLACE, {})
    assert document is None
    assert "no JSON" in problems[0].what


def test_all_problems_of_a_file_come_at_once_with_their_lines(tmp_path: Path) -> None:
    rows = [
        record(),
        record(entities=[{"id": "T1", "label": "NO", "start": 0, "end": 500}]),
        "not json",
        record(relations=[{"id": "R", "label": "CONSULTS", "head": "T1", "tail": "T9"}]),
    ]
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path = tmp_path / "c.jsonl"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    with pytest.raises(CorpusError) as error:
        read_jsonl(path).checked()
    assert {problem.line for problem in error.value.problems} == {3, 5, 7}
    assert f"{path}:3:" in str(error.value)


def test_a_lone_surrogate_becomes_one_replacement_character() -> None:
    document, problems = parse_line(b'{"id": "a", "text": "x\\ud83dy"}', PLACE, {})
    assert not problems
    assert document is not None
    assert document.text == "x\ufffdy"


def test_a_byte_order_mark_before_the_first_line_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": "x"}\n')
    assert [document.id for document in read_jsonl(path).checked()] == ["a"]


def test_a_pair_of_surrogates_is_one_code_point() -> None:
    document, _ = parse_line(b'{"id": "a", "text": "x\\ud83d\\ude00y"}', PLACE, {})
    assert document is not None
    assert document.text == "x\U0001f600y"


def test_a_score_that_is_no_number_is_never_written() -> None:
    bad = Document("a", "Eva", annotation=Annotation((Mention(0, 3, "PER", float("nan")),)))
    with pytest.raises(ValueError, match="finite"):
        to_record(bad, stand_off=False, scores=True)


def test_scores_travel(tmp_path: Path, small: Document) -> None:
    assert small.annotation is not None
    mentions = tuple(replace(m, score=0.25) for m in small.annotation.mentions)
    write_jsonl(tmp_path / "p.jsonl", [replace(small, annotation=Annotation(mentions))], scores=True)
    again = read_jsonl(tmp_path / "p.jsonl").checked()[0]
    assert again.annotation is not None
    assert {m.score for m in again.annotation.mentions} == {0.25}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("old", encoding="utf-8")
    bad = Document("a", "Eva", annotation=Annotation((Mention(0, 3, "PER", float("inf")),)))
    with pytest.raises(ValueError, match="finite"):
        write_jsonl(path, [bad], scores=True)
    assert path.read_text("utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["p.jsonl"]
