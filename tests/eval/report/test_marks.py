import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.document import Annotation, Document, Mention
from eval.report.marks import Mark, marked, nest, status_of
from tests.eval import worlds


def flatten(parts) -> str:
    return "".join(part if isinstance(part, str) else flatten(part.parts) for part in parts)


def all_marks(parts) -> list[Mark]:
    return [m for part in parts if isinstance(part, Mark) for m in (part, *all_marks(part.parts))]


def test_the_text_stays_whole_and_every_mention_that_nests_is_marked():
    rng = random.Random(1)
    for document in worlds.random_documents(3, 60, 25):
        other = worlds.blur(rng, document.text, document.annotation, 0.6)
        for ours, theirs in ((document.annotation, other), (other, document.annotation)):
            parts = marked(document, ours, theirs)
            assert flatten(parts) == document.text
            kept, crossing = nest(ours.mentions)
            assert sorted(m.mention for m in all_marks(parts)) == sorted(kept)
            assert sorted((*kept, *crossing)) == sorted(set(ours.mentions))
            for mark in all_marks(parts):
                assert flatten(mark.parts) == document.surface(mark.mention)


def test_what_crosses_is_listed_and_not_marked():
    first, second = Mention(0, 5, "PER"), Mention(3, 8, "ORG")
    assert nest((first, second)) == ([first], [second])


@pytest.mark.parametrize(
    ("there", "status"),
    [
        (Mention(0, 5, "PER"), "hit"),
        (Mention(0, 5, "ORG"), "label"),
        (Mention(0, 7, "PER"), "boundary"),
        (Mention(0, 7, "ORG"), "alone"),
        (Mention(9, 12, "PER"), "alone"),
    ],
)
def test_a_mark_says_what_the_other_reading_has(there, status):
    assert status_of(Mention(0, 5, "PER"), Annotation((there,)))[0] == status


def test_two_labels_on_one_span_nest():
    document = Document("d", "Putin", annotation=Annotation((Mention(0, 5, "ORG"), Mention(0, 5, "PER"))))
    parts = marked(document, document.annotation, Annotation())
    assert flatten(parts) == "Putin"
    assert len(all_marks(parts)) == 2


SPANS = st.lists(
    st.tuples(st.integers(0, 19), st.integers(1, 8), st.sampled_from(("PER", "ORG"))), max_size=8
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(min_size=20, max_size=20), SPANS)
def test_any_text_with_any_mentions_stays_whole(text, spans):
    mentions = tuple(Mention(start, min(20, start + length), label) for start, length, label in spans)
    parts = marked(Document("d", text), Annotation(mentions), Annotation())
    assert flatten(parts) == text
    kept, crossing = nest(mentions)
    assert {m.mention for m in all_marks(parts)} == set(kept)
    assert set(kept) | set(crossing) == set(mentions)


def test_mentions_that_touch_do_not_cross():
    mentions = (Mention(0, 9, "EVENT"), Mention(0, 5, "GPE"), Mention(5, 9, "ORG"), Mention(9, 12, "PER"))
    assert nest(mentions)[1] == []
