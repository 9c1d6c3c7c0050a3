"""WikiWarsDE: an article in SGML with TIMEX2 marks inside the text.

    <DOC>
    <DOCID>01_WW2</DOCID>
    <DATETIME> <TIMEX2 val="2011-02-16T17:00:00">2011-02-16T17:00:00</TIMEX2> </DATETIME>
    <TEXT>
    Der Krieg begann <TIMEX2 val="1939-09">im September 1939</TIMEX2>.
    </TEXT>
    </DOC>

The text is what stands between the lines of TEXT without the marks; every mark is a TIMEX, whatever its
value. It is no XML: an ampersand stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from annotations.document import Annotation, Document, Mention
from annotations.formats.reading import Place, Reading
from annotations.problems import Problem

LABEL = "TIMEX"
_NAME = re.compile(r"<DOCID>\s*(.*?)\s*</DOCID>", re.DOTALL)
_TIME = re.compile(r"<DATETIME>.*?(\d{4}-\d\d-\d\d).*?</DATETIME>", re.DOTALL)
_TEXT = re.compile(r"<TEXT>\r?\n?(.*?)(?:\r?\n)?</TEXT>", re.DOTALL)
_MARK = re.compile(r"<(/?)([A-Za-z][\w-]*)[^<>]*>")


def read_wikiwars(path: Path) -> Reading:
    """Read one article from one file. Bytes that are no UTF-8 raise UnicodeDecodeError."""
    return parse_wikiwars(path.read_bytes().decode("utf-8"), str(path))


def parse_wikiwars(source: str, path: str) -> Reading:
    """Read one article from a string; ``path`` stands in the problems."""
    problems: list[Problem] = []
    name, body, time = _NAME.search(source), _TEXT.search(source), _TIME.search(source)
    if name is None or not name[1]:
        problems.append(Place(path, 1).problem("there is no DOCID", "Write <DOCID>NAME</DOCID>."))
    if body is None:
        what = "there is no TEXT"
        problems.append(Place(path, 1).problem(what, "Write <TEXT> before and </TEXT> behind the text."))
        return Reading(problems=tuple(problems))
    text, mentions, found = _scan(source, body.start(1), body.end(1), path)
    problems += found
    if problems or name is None:
        return Reading(problems=tuple(problems))
    annotation = Annotation(tuple(sorted(set(mentions))))
    document = Document(name[1], text, "de", time[1] if time else None, annotation=annotation)
    return Reading((document,), (1,))


def _scan(source: str, start: int, end: int, path: str) -> tuple[str, list[Mention], list[Problem]]:
    """The text without its marks, and the mentions that they make."""
    parts: list[str] = []
    mentions: list[Mention] = []
    problems: list[Problem] = []
    opened: list[tuple[int, Place]] = []
    length, done = 0, start
    for mark, place in _marks(source, start, end, path):
        parts.append(source[done : mark.start()])
        length += len(parts[-1])
        done = mark.end()
        if mark[2] != "TIMEX2":
            problems.append(place.problem(f"unknown mark {mark[0]}", "Expected TIMEX2 alone."))
        elif not mark[1]:
            opened.append((length, place))
        elif not opened:
            problems.append(place.problem("</TIMEX2> closes nothing", "Remove it."))
        else:
            first, _ = opened.pop()
            if first == length:
                problems.append(place.problem("a TIMEX2 is empty", "Remove it."))
            else:
                mentions.append(Mention(first, length, LABEL))
    problems += [place.problem("a TIMEX2 is never closed", "Add </TIMEX2>.") for _, place in opened]
    return "".join([*parts, source[done:end]]), mentions, problems


def _marks(source: str, start: int, end: int, path: str) -> Iterator[tuple[re.Match[str], Place]]:
    line, done = source.count("\n", 0, start) + 1, start
    for mark in _MARK.finditer(source, start, end):
        line += source.count("\n", done, mark.start())
        done = mark.start()
        yield mark, Place(path, line)
