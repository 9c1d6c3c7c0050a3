"""Documents that share more than they should: sentences, or most of their text."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from annotations.document import Document
from annotations.formats.reading import Place
from annotations.problems import Problem

SHORTEST_SENTENCE = 25  # characters: shorter ones repeat by chance
WORDS = 8  # in a shingle
NEAR = 0.5  # share of a document's shingles that stand in another one
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def find_leaks(placed: Iterable[tuple[Document, Place]]) -> Iterator[Problem]:
    """A hint for each document that repeats a sentence, or most of the text, of an earlier one."""
    sentences: dict[str, tuple[Document, Place]] = {}
    shingles: defaultdict[int, set[int]] = defaultdict(set)
    earlier: list[tuple[Document, Place]] = []
    for document, place in placed:
        yield from _shared_sentences(document, place, sentences)
        own = set(_shingles(document.text))
        shared: Counter[int] = Counter()
        for shingle in own:
            shared.update(shingles[shingle])
        for number, count in shared.items():
            if count >= NEAR * len(own):
                other, there = earlier[number]
                what = f"{document.id!r} repeats most of {other.id!r} ({there.path}:{there.line})"
                yield place.problem(what, hint=True)
        for shingle in own:
            shingles[shingle].add(len(earlier))
        earlier.append((document, place))


def _shared_sentences(
    document: Document, place: Place, seen: dict[str, tuple[Document, Place]]
) -> Iterator[Problem]:
    for part in _SENTENCE_END.split(document.text):
        sentence = " ".join(part.split())
        if len(sentence) < SHORTEST_SENTENCE:
            continue
        other, there = seen.setdefault(sentence, (document, place))
        if other is not document:
            apart = "" if there.path == place.path else ", which is another file: a leak between splits"
            what = f"{document.id!r} shares a sentence with {other.id!r} ({there.path}:{there.line}){apart}"
            yield place.problem(what, hint=True)


def _shingles(text: str) -> Iterator[int]:
    words = re.findall(r"\w+", text.lower())
    for start in range(len(words) - WORDS + 1):
        yield hash(tuple(words[start : start + WORDS]))
