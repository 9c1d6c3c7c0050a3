from hypothesis import given

from annotations.document import Document
from pipeline.pieces import tokenize
from tests.generated import TEXTS
from tests.pipeline.tiny import character_tokenizer

CHARACTERS = character_tokenizer()


@given(TEXTS)
def test_every_character_that_is_no_space_has_its_piece(text: str) -> None:
    (table,) = tokenize([Document("d", text)], CHARACTERS)
    assert table.uncovered(text) == 0
    surfaces = [text[a:b] for a, b in zip(table.starts, table.ends, strict=True)]
    assert all(len(surface) == 1 for surface in surfaces)


@given(TEXTS)
def test_words_and_mentions_point_at_pieces_that_exist(text: str) -> None:
    (table,) = tokenize([Document("d", text)], CHARACTERS)
    if not len(table):
        return
    assert (table.first_piece < table.last_piece).all()
    assert (table.last_piece <= len(table)).all()
    for start, end in zip(table.word_starts.tolist(), table.word_ends.tolist(), strict=True):
        first, last = table.pieces_of(start, end)
        assert 0 <= first < last <= len(table)
        words = table.words_of(start, end)
        assert words[1] - words[0] == 1


def test_tables_come_in_the_order_of_the_documents() -> None:
    documents = [Document("a", "Eins zwei"), Document("b", ""), Document("c", "x " * 5000)]
    tables = tokenize(documents, CHARACTERS)
    assert [len(table) for table in tables] == [8, 0, 5000]
    for document, table in zip(documents, tables, strict=True):
        alone = tokenize([document], CHARACTERS)[0]
        assert alone.starts.tolist() == table.starts.tolist()


def test_what_no_piece_covers_is_counted() -> None:
    (table,) = tokenize([Document("d", "ab  c")], CHARACTERS)
    assert table.uncovered("ab  c") == 0
    assert table.uncovered("abx c") == 1


def test_sentences_are_found_by_offset() -> None:
    text = "Er kam. Sie ging."
    (table,) = tokenize([Document("d", text)], CHARACTERS)
    assert [int(table.sentence_of(i)) for i in (0, 6, 8, 16)] == [0, 0, 1, 1]
