"""Pairs and candidates against slow twins that look at every combination."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotations import scheme
from annotations.document import Document
from pipeline import pairs
from pipeline.pieces import tokenize
from tests.generated import documents
from tests.pipeline.tiny import character_tokenizer

CHARACTERS = character_tokenizer()


def prepared(document: Document) -> tuple[pairs.MentionTable, pairs.Pairs] | None:
    (table,) = tokenize([document], CHARACTERS)
    if not len(table) or document.annotation is None:
        return None
    mentions = pairs.mention_table(document.annotation.mentions, table)
    return mentions, pairs.ask(mentions, 1)


@given(documents())
def test_just_the_pairs_that_the_scheme_allows_within_reach_are_asked(document: Document) -> None:
    found = prepared(document)
    if found is None:
        return
    table, asked = found
    expected = set()
    for i, head in enumerate(table.mentions):
        for j, tail in enumerate(table.mentions):
            if i == j or abs(table.sentence[i] - table.sentence[j]) > 1:
                continue
            for label in scheme.RELATION_LABELS:
                backwards = scheme.is_symmetric(label) and tail < head
                if scheme.allowed(label, head, tail) and not backwards:
                    expected.add((i, j, label))
    got = {
        (int(h), int(t), scheme.RELATION_LABELS[r])
        for row, (h, t) in enumerate(zip(asked.head, asked.tail, strict=True))
        for r in asked.allowed[row].nonzero()[0]
    }
    assert got == expected


@given(documents())
def test_candidates_have_the_right_label_and_are_near(document: Document) -> None:
    found = prepared(document)
    if found is None or not len(found[1]):
        return
    table, asked = found
    for kind, (labels, reach) in pairs.POINTERS.items():
        options = pairs.candidates(table, asked.head, asked.tail, kind)
        got = set(zip(options.relation.tolist(), options.mention.tolist(), strict=True))
        expected = set()
        for row, (head, tail) in enumerate(zip(asked.head.tolist(), asked.tail.tolist(), strict=True)):
            low, high = sorted((int(table.sentence[head]), int(table.sentence[tail])))
            for number, mention in enumerate(table.mentions):
                near = low - reach <= table.sentence[number] <= high + reach
                if mention.label in labels and near:
                    expected.add((row, number))
        assert got == expected
        assert (options.bucket < pairs.POINTER_BUCKETS).all()
        assert (options.bucket >= 0).all()


@given(documents(), st.integers(1, 40))
def test_parts_are_the_whole_in_its_order(document: Document, size: int) -> None:
    found = prepared(document)
    if found is None:
        return
    table, asked = found
    parts = list(pairs.ask_in_parts(table, 1, size))
    for name in ("head", "tail", "allowed", "place", "later", "between"):
        whole = getattr(asked, name)
        assert (np.concatenate([getattr(part, name) for part in parts] or [whole[:0]]) == whole).all()


@given(documents())
def test_features_stay_in_their_tables(document: Document) -> None:
    found = prepared(document)
    if found is None:
        return
    table, asked = found
    assert ((asked.place >= 0) & (asked.place < pairs.PLACES)).all()
    assert (asked.between[:, 0] <= asked.between[:, 1]).all()
    assert (table.opening <= table.first).all()
    ends = np.maximum(table.last[asked.head], table.last[asked.tail])
    assert (table.last[asked.later] == ends).all()


def test_flat_ranges() -> None:
    import numpy as np

    first, last = np.array([3, 5, 0]), np.array([5, 5, 2])
    assert pairs.flat_ranges(first, last).tolist() == [3, 4, 0, 1]
