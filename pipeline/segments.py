"""Where a text may be taken apart: paragraphs, sentences, words. Offsets only; the text stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import sentencex
from numpy.typing import NDArray

Offsets = NDArray[np.int64]

# Long enough for any paragraph of news; the splitter below is quadratic on runs of opening quotes.
LONGEST_SEGMENT = 4000
LONGEST_WRAPPED_LINE = 140
# Combining marks, soft hyphens and joiners belong to the word that they stand in.
_WORD = re.compile("\\w(?:[\\w\u0300-\u036f\u00ad\u200c\u200d])*|[^\\w\\s]")
_PARAGRAPH_END = re.compile(r"[.!?:;“”\"»…)]\s*\n|\n[^\S\n]*\n")
_LINE_END = re.compile(r"\n")
# The splitter takes these for the end of a sentence where a name or a noun follows.
_NO_BREAK = re.compile(r"(?:\b\d{1,2}\.|\b(?:Nr|Abs|Art|Dr|Prof|St|ca|bzw|max|Mio|Mrd)\.)\s*\Z")
_ORDINAL_GOES_ON = re.compile(
    r"(?:Jahrhundert|FC|Bundesliga|Jahrestag|Januar|Februar|März|April|Mai|Juni|Juli|August|September"
    r"|Oktober|November|Dezember|Armee|Division|Brigade|Sitzung|Wahlperiode|Welt|Breitengrad)"
)


def words(text: str) -> tuple[Offsets, Offsets]:
    """Starts and ends of the words of a text: runs of letters and digits, or one sign each."""
    spans = [match.span() for match in _WORD.finditer(text)]
    table = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])


def paragraphs(text: str) -> Offsets:
    """Borders of the paragraphs, from 0 to the length of the text.

    A paragraph ends at an empty line, or at a line that ends in a closing sign. Any other line goes on
    where the text is wrapped, since a mention may stand across its end; where lines are longer than
    anybody wraps them, each is a paragraph: a headline without a full stop, say.
    """
    wrapped = max(map(len, text.split("\n"))) <= LONGEST_WRAPPED_LINE
    end = _PARAGRAPH_END if wrapped else _LINE_END
    inner = [match.end() for match in end.finditer(text)]
    return np.unique(np.array([0, *inner, len(text)], dtype=np.int64))


def segments(text: str) -> Iterator[tuple[int, int]]:
    """Spans that cover the text, none longer than LONGEST_SEGMENT, cut at paragraphs, else at white space."""
    borders = paragraphs(text).tolist()
    start = 0
    for previous, border in pairwise(borders):
        if border - start > LONGEST_SEGMENT and previous > start:
            yield start, previous
            start = previous
        while border - start > LONGEST_SEGMENT:
            end = _white_space_before(text, start, start + LONGEST_SEGMENT)
            yield start, end
            start = end
    if start < len(text):
        yield start, len(text)


def _white_space_before(text: str, start: int, end: int) -> int:
    for position in range(end, start + (end - start) // 2, -1):
        if text[position - 1].isspace():
            return position
    return end


def sentences(text: str, language: str) -> Offsets:
    """Borders of the sentences, from 0 to the length of the text; white space belongs to the one before."""
    borders = [0]
    for start, end in segments(text):
        for length in _sentence_lengths(text[start:end], language):
            borders.append(borders[-1] + length)
    return np.unique(np.concatenate((np.array([*borders, len(text)]), paragraphs(text))))


def _sentence_lengths(segment: str, language: str) -> list[int]:
    parts = sentencex.segment(language, segment)
    if sum(map(len, parts)) != len(segment):
        return [len(segment)]
    lengths: list[int] = []
    joined = False
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        if joined:
            lengths[-1] += len(part)
        else:
            lengths.append(len(part))
        joined = bool(_NO_BREAK.search(part)) and bool(_ORDINAL_GOES_ON.match(following))
    return lengths
