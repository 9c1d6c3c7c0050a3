"""Corpora that a training run sees beside its main one: how much of them, and in which batch. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from annotations.document import Annotation, Document, Mention, text_sha256
from annotations.schemes import OWN
from pipeline import segments
from pipeline.config import InputError
from pipeline.corpora import CorpusSettings
from pipeline.examples import Example, read_examples

Integers = NDArray[np.int64]
LONGEST_EXCERPT = 1500  # characters: about a window


@dataclass(frozen=True, slots=True)
class Beside:
    """The training documents of a corpus beside the main one; its test documents are never among them."""

    name: str
    scheme: str
    share: float  # documents that are seen per document of the main corpus
    documents: tuple[Document, ...]

    def without(self, digests: Collection[str]) -> Beside:
        """Without the documents of these texts (by text_sha256)."""
        kept = tuple(document for document in self.documents if text_sha256(document.text) not in digests)
        return replace(self, documents=kept)

    def stream(self, tokenizer: Tokenizer, reach: int, weight: float) -> Stream:
        """The documents as examples; long ones of other schemes in parts."""
        documents: Sequence[Document] = self.documents
        if self.scheme != OWN:
            documents = [part for document in documents for part in excerpts(document, LONGEST_EXCERPT)]
        examples = tuple(read_examples(documents, tokenizer, reach, self.scheme))
        if not examples:
            raise InputError(f"corpora.{self.name}: has no training documents; leave it out of mix")
        return Stream(self.name, examples, self.share, weight)


@dataclass(frozen=True, slots=True)
class Stream:
    """Examples of one corpus beside the main one, all of one scheme."""

    name: str
    examples: tuple[Example, ...]
    share: float  # examples that are seen per example of the main corpus
    weight: float  # how much their loss counts

    @property
    def scheme(self) -> str:
        """Whose labels they have."""
        return self.examples[0].scheme


def read_beside(corpora: Mapping[str, CorpusSettings], mix: Mapping[str, float]) -> tuple[Beside, ...]:
    """Each of the corpora with its share. Raises InputError where the two do not name the same."""
    if set(mix) != set(corpora):
        wanted, named = ", ".join(corpora) or "none", ", ".join(mix) or "none"
        raise InputError(f"mix names {named}; the corpora to be seen beside the main one are {wanted}")
    wrong = [f"mix.{name}={share}: expected more than 0" for name, share in mix.items() if not share > 0]
    if wrong:
        raise InputError("\n".join(wrong))
    return tuple(
        Beside(name, corpus.scheme, mix[name], corpus.read().without_leaks().train)
        for name, corpus in corpora.items()
    )


def excerpts(document: Document, longest: int) -> list[Document]:
    """A document in parts of whole paragraphs, no longer than that where paragraphs and mentions allow.

    For mentions alone: relations are left out.
    """
    if len(document.text) <= longest or document.annotation is None:
        return [document]
    mentions = document.annotation.mentions
    borders = [0]
    paragraphs = _uncrossed(segments.paragraphs(document.text).tolist(), mentions)
    for before, border in pairwise(paragraphs):
        if border - borders[-1] > longest and before > borders[-1]:
            borders.append(before)
    borders.append(len(document.text))
    return [_excerpt(document, mentions, start, end) for start, end in pairwise(borders)]


def _uncrossed(borders: Sequence[int], mentions: Sequence[Mention]) -> list[int]:
    return [border for border in borders if not any(m.start < border < m.end for m in mentions)]


def _excerpt(document: Document, mentions: Sequence[Mention], start: int, end: int) -> Document:
    inside = tuple(
        replace(m, start=m.start - start, end=m.end - start) for m in mentions if start <= m.start < end
    )
    return replace(
        document,
        id=f"{document.id}@{start}",
        text=document.text[start:end],
        annotation=Annotation(inside),
    )


def batches(main: int, size: int, streams: Sequence[Stream], seed: int, epoch: int) -> list[list[Integers]]:
    """For each batch the numbers of its main examples, then those of each stream.

    The order follows from seed and epoch alone: a resumed run sees the same one. The streams are spread
    evenly over the batches of the main corpus, whose order does not depend on them.
    """
    order = np.random.default_rng((seed, epoch)).permutation(main)
    count = -(-main // size)
    parts = [[order[start : start + size]] for start in range(0, main, size)]
    for stream in streams:
        numbers = drawn(len(stream.examples), round(stream.share * main), epoch, (seed, _key(stream.name)))
        batch = np.arange(len(numbers)) * count // max(1, len(numbers))
        for number, part in enumerate(parts):
            part.append(numbers[batch == number])
    return parts


def drawn(size: int, count: int, epoch: int, key: tuple[int, ...]) -> Integers:
    """The numbers of ``count`` of ``size`` examples for an epoch, from 1; all are seen before any twice."""
    positions = np.arange((epoch - 1) * count, epoch * count)
    orders = {
        turn: np.random.default_rng((*key, turn)).permutation(size)
        for turn in np.unique(positions // size).tolist()
    }
    numbers = [orders[position // size][position % size] for position in positions.tolist()]
    return np.array(numbers, dtype=np.int64)


def _key(name: str) -> int:
    return zlib.crc32(name.encode())
