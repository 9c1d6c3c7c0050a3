import random
from dataclasses import replace

import pytest
from sklearn.metrics import cohen_kappa_score

from annotations.document import Annotation
from annotations.formats.jsonl import write_jsonl
from eval.agreement import agree, kappa, main, render
from eval.align import AlignmentError
from eval.counts import total
from tests.eval import worlds

FIRST = worlds.random_documents(1, 4)
SECOND = worlds.predictions_on(FIRST, 2)


def test_f1_does_not_hang_on_who_is_first():
    there, back = agree(FIRST, SECOND), agree(SECOND, FIRST)
    for name in ("mentions.strict.both", "relations.strict", "relations.boundaries"):
        assert total(there.tally(name)).f1 == total(back.tally(name)).f1
    assert there.boundaries() == back.boundaries()
    assert total(there.on_shared_mentions()).f1 == total(back.on_shared_mentions()).f1


def test_who_agrees_with_himself_agrees_wholly():
    found = agree(FIRST, FIRST)
    assert total(found.tally("relations.strict.joint")).f1 == 1.0
    assert list(found.disagreements()) == []
    assert list(found.differences()) == []
    assert set(found.boundaries().values()) == {1.0}


def test_kappa_is_that_of_sklearn():
    rng = random.Random(3)
    for _ in range(100):
        first = [rng.choice("abc") for _ in range(30)]
        second = [a if rng.random() < 0.6 else rng.choice("abc") for a in first]
        cells: dict[tuple[str, str], int] = {}
        for pair in zip(first, second, strict=True):
            cells[pair] = cells.get(pair, 0) + 1
        assert kappa(cells) == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_of_one_value_or_of_nothing_is_undefined():
    assert kappa({("a", "a"): 3}) is None
    assert kappa({}) is None
    assert kappa({("a", "b"): 3}) == 0.0


def test_everything_that_one_has_and_the_other_has_not_is_listed():
    found = agree(FIRST, SECOND)
    only = sum(
        len(set(a.annotation.mentions) ^ set(b.annotation.mentions))
        for a, b in zip(FIRST, SECOND, strict=True)
    )
    assert sum(f.kind == "mention" for _, f in found.disagreements()) == only
    text = render(found)
    assert text.count("- only A: ") + text.count("- only B: ") == len(list(found.disagreements()))
    assert "The same relation, said differently" in text


def test_documents_of_one_annotator_alone_are_left_out_and_named(tmp_path, capsys):
    write_jsonl(tmp_path / "a.jsonl", FIRST)
    write_jsonl(tmp_path / "b.jsonl", SECOND[1:])
    assert main([str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("# Agreement on 3 document(s)")
    assert "1 document(s) only one has, left out: doc-000" in said


def test_annotations_of_other_texts_have_nothing_to_agree_on(tmp_path, capsys):
    with pytest.raises(AlignmentError, match="share no document"):
        agree(FIRST[:1], SECOND[1:])
    with pytest.raises(AlignmentError, match="another text"):
        agree(FIRST[:1], [replace(FIRST[0], text="x", annotation=Annotation())])
    assert main([str(tmp_path / "gone"), str(tmp_path / "gone")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
