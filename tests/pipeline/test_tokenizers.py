"""Exact offsets with every kind of tokenizer that public checkpoints have."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from annotations.document import Document, Mention
from pipeline.examples import example
from pipeline.pieces import tokenize
from tests.generated import TEXTS, documents
from tests.pipeline.tiny import SENTENCE

CORPUS = [SENTENCE, "Kremlsprecher Ukraine-Krieg US-Regierung Ölpreis größer", "10.000 Soldaten, 40 %"] * 3


@cache
def tokenizer(kind: str) -> Tokenizer:
    if kind == "wordpiece":  # BERT, ELECTRA
        made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=["[UNK]"], show_progress=False)
    elif kind == "unigram":  # XLM-RoBERTa: SentencePiece with NFKC
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=120, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
        )
    else:  # RoBERTa, ModernBERT: bytes
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=kind == "trimmed")
        made.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
    made.train_from_iterator(CORPUS, trainer)
    return made


KINDS = ["wordpiece", "unigram", "bytes", "trimmed"]


@pytest.mark.parametrize("kind", KINDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_pieces_lie_in_the_text_in_order(kind: str, text: str) -> None:
    (table,) = tokenize([Document("d", text)], tokenizer(kind))
    assert (table.starts >= 0).all()
    assert (table.ends <= len(text)).all()
    assert (table.starts < table.ends).all()
    assert (table.starts[1:] >= table.starts[:-1]).all()
    assert (table.ends[1:] >= table.ends[:-1]).all()


@pytest.mark.parametrize("kind", KINDS)
@given(documents())
def test_every_mention_has_pieces_and_words(kind: str, document: Document) -> None:
    (table,) = tokenize([document], tokenizer(kind))
    if not len(table):
        return
    found = example(document, table, 1)
    assert (found.mentions.first < found.mentions.last).all()
    assert (found.mentions.last <= len(table)).all()
    assert len(found.outer) == len(table.word_starts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_sentence_keeps_all_its_mentions(kind: str, small: Document) -> None:
    (table,) = tokenize([small], tokenizer(kind))
    assert table.uncovered(small.text) == 0
    assert small.annotation is not None
    outer, _ = small.annotation.layers()
    for mention in outer:
        first, last = table.words_of(mention.start, mention.end)
        assert (
            Mention(int(table.word_starts[first]), int(table.word_ends[last - 1]), mention.label) == mention
        )
