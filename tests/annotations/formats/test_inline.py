from pathlib import Path

import pytest
from hypothesis import given

from annotations.document import Document
from annotations.formats.inline import format_inline, parse_inline, read_inline, write_inline
from tests.generated import attributes, documents


@given(documents())
def test_what_is_written_is_read_again(document: Document) -> None:
    again = parse_inline(format_inline(document), "x").checked()[0]
    assert again == document
    assert attributes(again) == attributes(document)


def test_marks_are_taken_off_the_text(small: Document) -> None:
    assert "[" not in small.text
    assert small.text.startswith("Der litauische Präsident Jonas Vaitkus traf")
    assert small.annotation is not None
    assert [small.surface(m) for m in small.annotation.layers()[1]] == ["Kreml"]
    assert small.date == "2021-05-04"


def test_a_file_is_one_document(tmp_path: Path, small: Document) -> None:
    write_inline(tmp_path / "a.inline", small)
    assert read_inline(tmp_path / "a.inline").checked() == (small,)


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("id: a\n===\ntext", 1, "1 lines of '==='"),
        ("id: a\n===\n[1:PER Eva\n===\n", 3, "never closed"),
        ("id: a\n===\nEva] kam\n===\n", 3, "closes nothing"),
        ("id: a\n===\n[Eva] kam\n===\n", 3, "opens no mark"),
        ("id: a\n===\n[1:PERSON Eva]\n===\n", 3, "unknown label 'PERSON'"),
        ("id: a\n===\n[1:PER Eva]\n[1:PER Ada]\n===\n", 4, "stands twice"),
        ("id: a\n===\n[1:PER Eva]\n===\nHAS_ROLE 1 2\n", 5, "no entity of this document"),
        ("id: a\n===\n[1:PER Eva] [2:ROLE Chefin]\n===\n\nHAS_TITLE 1 2\n", 6, "unknown label 'HAS_TITLE'"),
        ("id: a\n===\n[1:PER Eva] [2:ROLE Chefin]\n===\nHAS_ROLE 1 2 maybe\n", 5, "unknown modality"),
        ("id: a\n===\n[1:PER Eva]\n===\nHAS_ROLE 1\n", 5, "is no relation"),
        ("id: a\n===\n[1:PER [2:PER Eva]]\n===\n", 3, "mark 1 says again what 2 says"),
        (
            "id: a\n===\n[1:PER Eva] [2:PER Ada]\n===\nCONSULTS 1 2\nCONSULTS 2 1 denied\n",
            6,
            "relation of line 6 says again what relation of line 5 says",
        ),
        ("language: de\n===\nx\n===\n", 1, "no id"),
    ],
)
def test_a_problem_names_its_line(source: str, line: int, what: str) -> None:
    problems = parse_inline(source, "f.inline").problems
    assert any(what in problem.what and problem.line == line for problem in problems), problems


def test_carriage_returns_are_named() -> None:
    (problem,) = parse_inline("id: a\r\n===\r\nx\r\n===\r\n", "f").problems
    assert "carriage returns" in problem.what


def test_all_problems_are_found_at_once() -> None:
    source = "id: a\n===\n[1:PERSON Eva] [x]\n===\nHAS_ROLE 1 7\nNONSENSE 1 1\n"
    assert len(parse_inline(source, "f").problems) >= 4
