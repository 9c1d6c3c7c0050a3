from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.corpus import FOREIGN, read_path
from annotations.formats.wikiwars import parse_wikiwars, read_wikiwars


def article(body: str) -> str:
    return (
        "<DOC>\n<DOCID>07_Probe</DOCID>\n"
        '<DOCTYPE SOURCE="wikipedia"> HISTORY ARTICLE </DOCTYPE>\n'
        '<DATETIME> <TIMEX2 val="2011-02-16T17:00:00">2011-02-16T17:00:00</TIMEX2> </DATETIME>\n'
        f"<TEXT>\n{body}\n</TEXT>\n</DOC>\n"
    )


def test_the_text_loses_its_marks_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "07.key.xml"
    first = 'Im <TIMEX2 val="1871-05" mod="START">frühen Mai 1871</TIMEX2> fiel'
    body = f"{first}\n\n Ulm & Co. < 3 km, am <TIMEX2>4.</TIMEX2>"
    file.write_text(article(body), "utf-8")
    (document,) = read_wikiwars(file).checked()
    assert (document.id, document.date) == ("07_Probe", "2011-02-16")
    assert document.text == "Im frühen Mai 1871 fiel\n\n Ulm & Co. < 3 km, am 4."
    assert document.annotation is not None
    assert [(m.label, document.surface(m)) for m in document.annotation.mentions] == [
        ("TIMEX", "frühen Mai 1871"),
        ("TIMEX", "4."),
    ]


PARTS = st.lists(st.tuples(st.booleans(), st.text("aü \n&.🚧", min_size=1)), min_size=1)


@given(PARTS)
def test_marks_come_back_as_offsets(parts: list[tuple[bool, str]]) -> None:
    body = "".join(f'<TIMEX2 val="x">{text}</TIMEX2>' if marked else text for marked, text in parts)
    (document,) = parse_wikiwars(article(body), "f").checked()
    assert document.text == "".join(text for _, text in parts)
    assert document.annotation is not None
    found = [document.surface(mention) for mention in document.annotation.mentions]
    assert found == [text for marked, text in parts if marked]


def test_marks_may_nest() -> None:
    body = "<TIMEX2>zwei Tage nach <TIMEX2>Ostern</TIMEX2></TIMEX2>."
    (document,) = parse_wikiwars(article(body), "f").checked()
    assert document.annotation is not None
    outer, inner = document.annotation.layers()
    assert [document.surface(m) for m in (*outer, *inner)] == ["zwei Tage nach Ostern", "Ostern"]


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("<DOC>", 1, "no TEXT"),
        ("<TEXT>\nx\n</TEXT>", 1, "no DOCID"),
        (article("a\nb <TIMEX2>c"), 7, "never closed"),
        (article("a\nb c</TIMEX2>"), 7, "closes nothing"),
        (article("a\n\n<TIMEX2></TIMEX2>"), 8, "empty"),
        (article("<B>a</B>"), 6, "unknown mark <B>"),
    ],
)
def test_a_problem_names_its_line(source: str, line: int, what: str) -> None:
    problems = parse_wikiwars(source, "f.xml").problems
    assert any(what in problem.what and problem.line == line for problem in problems), problems


@pytest.mark.parametrize("form", FOREIGN)
def test_a_file_in_another_encoding_is_a_problem_and_no_crash(form: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("1\tK\xf6ln\tO\tO\n<TEXT>\n".encode("latin-1"))
    (tmp_path / ".hidden").write_bytes(b"\xff")
    ((file, reading),) = read_path(tmp_path, {}, form)
    assert file.name == "a"
    assert not reading.documents
    assert reading.problems
