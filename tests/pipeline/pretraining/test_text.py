from pathlib import Path

import pytest

from pipeline.config import InputError
from pipeline.pretraining import text

from .conftest import sentences, write


def test_documents_keep_every_paragraph(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.xz"
    write(path, [["Eins.", "Zwei."], ["Drei\u2028vier."], [], ["Fünf."]])
    assert list(text.documents(path)) == ["Eins.\nZwei.", "Drei\u2028vier.", "Fünf."]


def test_held_out_is_a_stable_share_whatever_stands_around() -> None:
    held = [one for one in sentences() if text.is_held_out(one, 0.2)]
    assert held == [one for one in reversed(sentences()) if text.is_held_out(one, 0.2)][::-1]
    assert 0.1 < len(held) / len(sentences()) < 0.3
    assert text.is_held_out("Berlin.", 0.5) is True  # fixed: a changed hash would leak held-out text
    assert text.is_held_out("Wien.", 0.5) is False


def test_a_larger_share_holds_out_the_smaller_one_too() -> None:
    assert all(text.is_held_out(one, 0.4) for one in sentences() if text.is_held_out(one, 0.2))


def test_being_sampled_says_nothing_about_being_held_out() -> None:
    sampled = [one for one in sentences() if text.is_sampled(one, 0.5)]
    both = [one for one in sampled if text.is_held_out(one, 0.5)]
    assert 0.4 < len(both) / len(sampled) < 0.6


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"text/nothing\.txt\.xz: no such file"):
        text.source_path(str(tmp_path), "nothing")
