from pathlib import Path

import pytest

from annotations.check import check_document, check_paths, main
from annotations.document import Annotation, Document, Mention, Relation
from annotations.formats.inline import write_inline
from annotations.formats.reading import Place

PLACE = Place("f", 1)


def problems(document: Document, *, hints: bool = False) -> list[str]:
    return [problem.what for problem in check_document(document, PLACE) if problem.hint == hints]


def document(text: str, *mentions: Mention, relations: tuple[Relation, ...] = ()) -> Document:
    return Document("d", text, annotation=Annotation(tuple(sorted(mentions)), relations))


def test_a_sound_document_has_no_problem(small: Document) -> None:
    assert not problems(small)


@pytest.mark.parametrize(
    ("mentions", "what"),
    [
        ([Mention(0, 4, "PER"), Mention(2, 8, "ORG")], "overlaps"),
        ([Mention(0, 9, "EVENT"), Mention(0, 5, "ORG"), Mention(0, 3, "GPE")], "same layer"),
        ([Mention(0, 4, "PER"), Mention(0, 4, "ORG")], "share the span"),
        ([Mention(0, 5, "PER")], "white space"),
        ([Mention(0, 99, "PER")], "beyond the text"),
    ],
)
def test_spans(mentions: list[Mention], what: str) -> None:
    assert any(what in p for p in problems(document("Ilse kam „zur Uno“", *mentions)))


def test_half_a_pair_of_quotation_marks_is_a_hint() -> None:
    found = problems(document("Ilse kam „zur Uno“", Mention(9, 13, "ORG")), hints=True)
    assert any("half a pair" in hint for hint in found)


def test_relations() -> None:
    person, role, date = Mention(0, 4, "PER"), Mention(5, 9, "ROLE"), Mention(10, 14, "DATE")
    text = "Ilse Chef 2020"
    wrong = Relation(role, person, "HAS_ROLE")
    assert "joins ROLE → PER" in problems(document(text, person, role, relations=(wrong,)))[0]
    timed = Relation(person, role, "HAS_ROLE", time=date)
    assert "only relations between actors" in problems(document(text, person, role, relations=(timed,)))[0]
    sourced = Relation(person, role, "CONSULTS", source=date)
    assert "a source is an actor" in problems(document(text, person, role, relations=(sourced,)))[0]
    placed = Relation(person, role, "CONSULTS", place=date)
    assert "use GPE or LOC" in problems(document(text, person, role, relations=(placed,)))[0]
    late = Relation(role, person, "CONSULTS")
    assert "symmetric" in problems(document(text, person, role, relations=(late,)))[0]
    twice = (Relation(person, role, "HAS_ROLE"), Relation(person, role, "HAS_ROLE", "denied"))
    assert "stands 2 times" in problems(document(text, person, role, relations=twice))[0]


def test_hints_say_what_looks_forgotten() -> None:
    text = "Riga schwieg. Zwölf Soldaten kamen nach Riga. Minister Ozols sprach."
    found = problems(
        document(
            text,
            Mention(40, 44, "GPE"),
            Mention(20, 28, "MIL"),
            Mention(46, 54, "ROLE"),
            Mention(55, 60, "PER"),
        ),
        hints=True,
    )
    assert any("'Riga' is GPE elsewhere" in hint for hint in found)
    assert any("is no QUANT" in hint for hint in found)
    assert any("has no HAS_ROLE" in hint for hint in found)


def test_an_inner_name_without_its_relation_is_a_hint() -> None:
    event, state = Mention(0, 13, "EVENT"), Mention(0, 7, "GPE")
    assert any(
        "no relation joins" in h for h in problems(document("Ukraine-Krieg", event, state), hints=True)
    )


def test_two_documents_of_one_name_or_text(tmp_path: Path, small: Document) -> None:
    write_inline(tmp_path / "a.inline", small)
    write_inline(tmp_path / "b.inline", small)
    assert any("stands already" in str(problem) for problem in check_paths([tmp_path], {}))


def test_the_command(tmp_path: Path, small: Document, capsys: pytest.CaptureFixture[str]) -> None:
    write_inline(tmp_path / "a.inline", small)
    assert main([str(tmp_path)]) == 0
    (tmp_path / "b.inline").write_text("id: b\n===\n[1:NO x]\n===\n", encoding="utf-8")
    (tmp_path / "c.inline").write_bytes(b"\xff")
    assert main([str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert "b.inline:3" in printed
    assert "no UTF-8" in printed
    assert main([str(tmp_path / "nowhere")]) == 2
