from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from pipeline.pretraining import tokenizer

from .conftest import sentences

LEARNED = tokenizer.learn(sentences(), 500)
TEXTS = st.text(st.sampled_from("abzÄöüß Éé\u00ad\u200b\u0301\u00a0\n\t-–„“.,19Ωя中🙂#[]")) | st.text(
    max_size=40
)


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_pieces_cover_the_text_in_order(sentence: str) -> None:
    encoding = LEARNED.encode(sentence, add_special_tokens=False)
    reached = 0
    for piece, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        assert reached <= start < end <= len(sentence)
        assert not sentence[reached:start].strip()
        if piece != tokenizer.UNKNOWN:
            assert sentence[start:end] == piece.removeprefix(tokenizer.CONTINUATION)
        reached = end
    assert not sentence[reached:].strip()


def test_case_umlauts_hyphens_and_soft_hyphens_are_kept() -> None:
    pieces = LEARNED.encode("EU-Kommission Straßen über Kom\u00admission €", add_special_tokens=False).tokens
    assert pieces[:3] == ["EU", "-", "Kommission"]
    assert "Straßen" in pieces and "über" in pieces and "##\u00ad" in pieces and "€" in pieces
    assert tokenizer.UNKNOWN not in pieces


def test_every_known_character_continues_words_too() -> None:
    vocabulary = LEARNED.get_vocab()
    characters = {piece for piece in vocabulary if len(piece) == 1}
    assert all(tokenizer.CONTINUATION + one in vocabulary for one in characters)
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))


def test_special_pieces_stand_first_and_frame_a_text() -> None:
    assert [LEARNED.id_to_token(number) for number in range(5)] == list(tokenizer.SPECIAL)
    assert LEARNED.encode("Kanzler").tokens[0] == tokenizer.START
    assert LEARNED.encode("Kanzler").tokens[-1] == tokenizer.END


@pytest.mark.parametrize(
    "sentence", ["Die EU-Kommission warnte am Montag „gestern“.", "Kom\u00admission", ""]
)
def test_what_is_saved_loads_as_an_auto_tokenizer(tmp_path: Path, sentence: str) -> None:
    tokenizer.save(LEARNED, tmp_path, 64)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded(sentence)["input_ids"] == LEARNED.encode(sentence).ids
    assert (loaded.pad_token_id, loaded.unk_token_id, loaded.model_max_length) == (0, 1, 64)
    assert (loaded.cls_token, loaded.sep_token, loaded.mask_token) == ("[CLS]", "[SEP]", "[MASK]")
    assert Tokenizer.from_file(str(tmp_path / "tokenizer.json")).get_vocab() == LEARNED.get_vocab()


def test_the_same_texts_give_the_same_pieces() -> None:
    assert tokenizer.learn(sentences(), 500).get_vocab() == LEARNED.get_vocab()
    assert len(LEARNED.get_vocab()) <= 500
