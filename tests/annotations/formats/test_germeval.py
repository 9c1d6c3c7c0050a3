from __future__ import annotations

from pathlib import Path

import pytest

from annotations.document import Mention
from annotations.formats.germeval import parse_germeval, read_germeval

SOFT = "Kam\u00adpala"
SAMPLE = (
    "#\thttp://beispiel.example/meldung.html\t[2011-03-05]\n"
    "1\tDer\tO\tO\n"
    "2\tRigaer\tB-ORG\tB-LOCderiv\n"
    "3\tStadtrat\tI-ORG\tO\n"
    f"4\tgrüßte\tO\tO\n5\t{SOFT}\tB-LOC\tO\n6\t.\tO\tO\n"
    "\n"
    "#\thttp://beispiel.example/zwei.html\t[2011-03-06]\t\n"
    "1\tUN-Truppen\tB-ORGpart\tO\t\n"
    "2\t\u2028\tO\tO\n"
)


def test_sentences_are_documents_with_exact_offsets(tmp_path: Path) -> None:
    file = tmp_path / "probe.tsv"
    file.write_text(SAMPLE, "utf-8")
    first, second = read_germeval(file).checked()
    assert first.id == "probe-1"
    assert first.text == f"Der Rigaer Stadtrat grüßte {SOFT} ."
    assert first.meta == {"url": "http://beispiel.example/meldung.html", "date": "2011-03-05"}
    assert first.annotation is not None
    outer, inner = first.annotation.layers()
    assert [(m.label, first.surface(m)) for m in outer] == [("ORG", "Rigaer Stadtrat"), ("LOC", SOFT)]
    assert inner == (Mention(4, 10, "LOCderiv"),)
    assert second.text == "UN-Truppen \u2028"
    assert second.annotation is not None
    assert second.annotation.mentions == (Mention(0, 10, "ORGpart"),)


def test_tokens_and_tags_come_back_from_the_offsets() -> None:
    tokens = ["Ein", "Ort", "Ort", "am", "Ort", "X"]
    tags = ["O", "B-LOC", "B-LOC", "I-LOC", "O", "B-OTHderiv"]
    rows = [f"{n}\t{token}\t{tag}\tO" for n, (token, tag) in enumerate(zip(tokens, tags, strict=True), 1)]
    (document,) = parse_germeval("\n".join(rows), "x.tsv").checked()
    assert document.text.split(" ") == tokens
    assert document.annotation is not None
    found = [(document.surface(m), m.label) for m in document.annotation.mentions]
    assert found == [("Ort", "LOC"), ("Ort am", "LOC"), ("X", "OTHderiv")]


def test_windows_line_ends_are_no_part_of_a_tag() -> None:
    assert (
        parse_germeval(SAMPLE.replace("\n", "\r\n"), "x").checked() == parse_germeval(SAMPLE, "x").checked()
    )


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("1\tEva\tO\n", 1, "3 column(s)"),
        ("1\tEva\tO\tO\tmehr\n", 1, "5 column(s)"),
        ("1\tEva\tO\tO\n3\tkam\tO\tO\n", 2, "index '3', expected 2"),
        ("#\tu\t[d]\n1\tEva\tB-PERSON\tO\n", 2, "unknown tag 'B-PERSON'"),
        ("1\tEva\tI-PER\tO\n", 1, "continues nothing"),
        ("1\tEva\tB-PER\tO\n2\tUlm\tI-LOC\tO\n", 2, "I-LOC continues nothing"),
        ("1\tEva\tO\tO\n2\t\tO\tO\n", 2, "no token"),
        ("1\tEva K\tO\tO\n", 1, "no token"),
        ("#\tu\t[d]\n\n1\tEva\tO\tO\n", 1, "header without a sentence"),
    ],
)
def test_a_problem_names_its_line(source: str, line: int, what: str) -> None:
    problems = parse_germeval(source, "f.tsv").problems
    assert any(what in problem.what and problem.line == line for problem in problems), problems


def test_a_wrong_sentence_does_not_hide_the_next_ones() -> None:
    source = "1\tEva\tB-X\tO\n\n1\tUlm\tB-LOC\tO\n\n1\tAda\tI-PER\tO\n"
    reading = parse_germeval(source, "f.tsv")
    assert [document.text for document in reading.documents] == ["Ulm"]
    assert reading.lines == (3,)
    assert [problem.line for problem in reading.problems] == [1, 5]


def test_an_inner_mention_outside_the_outer_ones_is_left_out_with_a_hint() -> None:
    source = "1\tUlm\tB-LOC\tB-PER\n2\tEva\tO\tB-PER\n"
    reading = parse_germeval(source, "f.tsv")
    (document,) = reading.checked()
    assert document.annotation is not None
    assert document.annotation.mentions == (Mention(0, 3, "LOC"),)
    assert len(reading.problems) == 2
    assert all(problem.hint for problem in reading.problems)
