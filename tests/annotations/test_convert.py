from dataclasses import replace
from pathlib import Path

import pytest

from annotations.convert import main
from annotations.corpus import read_corpus
from annotations.document import Document
from annotations.formats.inline import write_inline
from annotations.stats import main as stats


def test_there_and_back(tmp_path: Path, small: Document) -> None:
    write_inline(tmp_path / "in" / "a.inline", small)
    assert main([str(tmp_path / "in"), str(tmp_path / "c.jsonl")]) == 0
    assert main([str(tmp_path / "c.jsonl"), str(tmp_path / "out")]) == 0
    assert read_corpus(tmp_path / "out", {}) == (small,)


def test_stand_off_needs_its_texts(
    tmp_path: Path, small: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    write_inline(tmp_path / "a.inline", small)
    assert main([str(tmp_path / "a.inline"), str(tmp_path / "c.jsonl"), "--stand-off"]) == 0
    assert main([str(tmp_path / "c.jsonl"), str(tmp_path / "out")]) == 1
    assert "articles=DIR" in capsys.readouterr().err
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_bytes(small.text.encode())
    assert (
        main([str(tmp_path / "c.jsonl"), str(tmp_path / "out"), "--articles", str(tmp_path / "texts")]) == 0
    )


def test_nothing_is_written_while_something_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.inline").write_text("id: a\n===\n[1:NO x]\n===\n", encoding="utf-8")
    assert main([str(tmp_path / "a.inline"), str(tmp_path / "c.jsonl")]) == 1
    assert not (tmp_path / "c.jsonl").exists()


def test_no_document_is_written_over_another(
    tmp_path: Path, small: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("a/b", "a_b", ".c")):
        write_inline(tmp_path / "in" / f"{number}.inline", replace(small, id=name))
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 1
    assert "'a/b' and 'a_b'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "in" / "0.inline").unlink()
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    assert {document.id for document in read_corpus(tmp_path / "out", {})} == {"a_b", ".c"}


def test_what_cannot_be_counted_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.inline").write_text("id: a\n===\n[1:NO x]\n===\n", encoding="utf-8")
    assert stats([str(tmp_path)]) == 1
    assert "unknown label" in capsys.readouterr().err
    assert stats([str(tmp_path / "nowhere")]) == 2
    (tmp_path / "b.txt").write_bytes(b"\xff")
    assert stats([str(tmp_path), "--articles", str(tmp_path)]) == 1


def test_counts(tmp_path: Path, small: Document, capsys: pytest.CaptureFixture[str]) -> None:
    write_inline(tmp_path / "a.inline", small)
    assert stats([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "| 1 | 29 | 13 | 1 | 8 | 3 |" in printed
    assert "| AIDS | 1 | 0 | 1 | 0 | 0 | 0 |" in printed
