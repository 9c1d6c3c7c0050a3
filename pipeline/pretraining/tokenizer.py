"""The tokenizer: cased pieces of words, learned from the corpus, with exact offsets.

Nothing is normalised, so that a piece's offsets slice the text as it is. Words are split at white space
and around each punctuation mark, hyphens among them, and then into the longest known pieces.
"""

from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

PAD, UNKNOWN, START, END, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CONTINUATION = "##"
_LONGEST_WORD = 200  # characters; a longer one is unknown
_ALPHABET = 400  # characters, besides these; each costs two pieces, alone and as a continuation
_ALWAYS = string.ascii_letters + string.digits + string.punctuation + "ÄÖÜäöüßẞéèçñ§€°«»„“”‚‘’–—…\u00ad"


def learn(texts: Iterable[str], size: int) -> Tokenizer:
    """A tokenizer of ``size`` pieces, or of as many as the texts (read twice) give; [PAD] is 0.

    Every known character has a piece alone and one as a continuation: a word with a character where
    the corpus never had it, such as a soft hyphen, is not unknown.
    """
    characters = _alphabet(texts)
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        # The trainer numbers what it meets in an order that changes from run to run, and breaks ties by
        # these numbers; what it is told here has its place.
        special_tokens=[*SPECIAL, *characters, *(CONTINUATION + one for one in characters)],
        limit_alphabet=0,
        continuing_subword_prefix=CONTINUATION,
        show_progress=False,
    )
    scratch = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    scratch.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    scratch.train_from_iterator(texts, trainer)
    return _assemble(scratch.get_vocab())


def _assemble(vocabulary: dict[str, int]) -> Tokenizer:
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=_LONGEST_WORD)
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=CONTINUATION)
    start, end = SPECIAL.index(START), SPECIAL.index(END)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        pair=f"{START} $A {END} $B:1 {END}:1",
        special_tokens=[(START, start), (END, end)],
    )
    return tokenizer


def _alphabet(texts: Iterable[str]) -> list[str]:
    """The characters that have pieces, in order: the usual ones, and the most frequent of the texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    ranked = sorted(counts, key=lambda one: (-counts[one], one))
    frequent = [one for one in ranked if not one.isspace() and one not in _ALWAYS]
    return sorted({*_ALWAYS, *frequent[:_ALPHABET]})


def save(tokenizer: Tokenizer, folder: Path, length: int) -> None:
    """tokenizer.json and tokenizer_config.json, as AutoTokenizer loads them."""
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": length,
        "pad_token": PAD,
        "unk_token": UNKNOWN,
        "cls_token": START,
        "sep_token": END,
        "mask_token": MASK,
        "clean_up_tokenization_spaces": False,
        "do_lower_case": False,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    partial = folder / "tokenizer.json.partial"
    tokenizer.save(str(partial))
    partial.replace(folder / "tokenizer.json")


def continuations(tokenizer: Tokenizer) -> list[bool]:
    """For each piece id, whether it continues a word."""
    size = tokenizer.get_vocab_size()
    return [str(tokenizer.id_to_token(number)).startswith(CONTINUATION) for number in range(size)]
