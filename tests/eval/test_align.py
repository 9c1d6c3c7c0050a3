from dataclasses import replace

import pytest

from annotations.document import Annotation, Document, Mention
from eval.align import AlignmentError, align, name_some

GOLD = Document("a", "Putin traf Kim.", annotation=Annotation((Mention(0, 5, "PER"),)))


def test_a_document_without_a_prediction_counts_as_all_missed_and_is_named():
    found = align([GOLD, replace(GOLD, id="b")], [GOLD])
    assert found.pairs[1].readings == (GOLD.annotation, Annotation())
    assert found.notes == ("1 document(s) without a prediction, counted as all missed: b",)


def test_another_text_is_refused():
    with pytest.raises(AlignmentError, match=r"'a' was predicted on another text: SHA-256 [0-9a-f]{12}…"):
        align([GOLD], [replace(GOLD, text="Putin traf Xi.")])


def test_all_problems_come_at_once():
    other = replace(GOLD, text="Putin traf Xi.")
    with pytest.raises(AlignmentError) as caught:
        align([GOLD, GOLD], [other], [replace(GOLD, annotation=Annotation())])
    assert len(caught.value.problems) == 1 + 2 + 2  # twice in gold; text and mentions for each of the two
    assert "stands 2 times in gold" in str(caught.value)
    assert "0 too many, 1 missing" in str(caught.value)


def test_gold_without_annotations_is_refused():
    with pytest.raises(AlignmentError, match="no annotated document"):
        align([replace(GOLD, annotation=None)], [GOLD])


def test_a_prediction_that_nobody_made_is_no_reading_of_gold():
    pair = align([GOLD], [replace(GOLD, annotation=None)], []).pairs[0]
    assert pair.readings[1] == Annotation()
    assert pair.given.annotation == Annotation()


def test_long_lists_are_cut():
    assert name_some([str(n) for n in range(12)], "x").endswith("9 and 2 more")


def test_a_text_of_the_same_length_is_another_text_too():
    with pytest.raises(AlignmentError, match="another text"):
        align([GOLD], [replace(GOLD, text="Putin traf Kim!")])


def test_one_mention_too_many_is_not_what_gold_gave():
    more = Annotation((*GOLD.annotation.mentions, Mention(11, 14, "PER")))
    with pytest.raises(AlignmentError, match="1 too many, 0 missing"):
        align([GOLD], [GOLD], [replace(GOLD, annotation=more)])
