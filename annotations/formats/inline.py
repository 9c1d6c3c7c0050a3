r"""Annotation by hand in any editor: marks inside the text, relations below it.

    id: dispatch-001
    language: de
    date: 2024-06-19
    meta.theatre: Korea
    ===
    [1:PER Putin] reiste nach [2:GPE Nordkorea]. Der [3:EVENT [4:GPE Ukraine]-Krieg] dauert an.
    ===
    CONSULTS 1 2 asserted
    LOCATED_IN 3 4
    SUPPORTS 2 1 reported source=5 time=6 place=7   # a remark

The text is exactly what stands between the newline after the first ``===`` line and the newline before
the last one. ``\[``, ``\]``, ``\=`` and ``\\`` stand for the characters themselves. The modality is
``asserted`` where none is given. Marks nest once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from annotations import scheme
from annotations.document import Document, Mention
from annotations.formats.reading import (
    Place,
    RawRelation,
    Reading,
    build_document,
    build_relations,
    write_whole,
)
from annotations.problems import Problem

SUFFIX = ".inline"
_RULE = "==="
_MARK = re.compile(r"\[([0-9A-Za-z]+):([A-Z]+) ")
_RULES = re.compile(rf"^{_RULE}\n|\n{_RULE}(?:\n|\Z)", re.MULTILINE)
_OPTION = re.compile(r"(source|time|place)=(\S+)")


@dataclass
class _Marks:
    """What the scan of a marked text has found so far."""

    text: list[str] = field(default_factory=list)
    length: int = 0
    open: list[tuple[str, str, int, int]] = field(default_factory=list)  # name, label, start, line
    mentions: dict[str, Mention] = field(default_factory=dict)
    names: dict[Mention, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, character: str) -> None:
        self.text.append(character)
        self.length += 1


def read_inline(path: Path) -> Reading:
    """Read one document from one file. Bytes that are no UTF-8 raise UnicodeDecodeError."""
    return parse_inline(path.read_bytes().decode("utf-8"), str(path))


def parse_inline(source: str, path: str) -> Reading:
    """Read one document from a string; ``path`` stands in the problems."""
    rules = list(_RULES.finditer(source))
    if len(rules) != 2 and f"{_RULE}\r\n" in source:
        what = "the lines end in carriage returns, which would be part of the text"
        return Reading(problems=(Place(path, 1).problem(what, "Save the file with Unix line ends."),))
    if len(rules) != 2:
        what = f"{len(rules)} lines of '{_RULE}', expected 2"
        remedy = "Write header, ===, text, ===, relations."
        return Reading(problems=(Place(path, 1).problem(what, remedy),))
    header, body = source[: rules[0].start()], source[rules[0].end() : rules[1].start()]
    below = source[rules[1].end() :]
    first_line = source.count("\n", 0, rules[0].end()) + 1
    fields = _header(header)
    marks = _scan(body, path, first_line)
    below_line = source.count("\n", 0, rules[1].end()) + 1
    problems = list(marks.problems)
    raws: list[tuple[RawRelation, Place]] = []
    for number, line in enumerate(below.split("\n")):
        content = line.partition("#")[0].strip()
        if content:
            place = Place(path, below_line + number)
            raw, problem = _relation(content, place)
            if raw is not None:
                raws.append((raw, place))
            if problem is not None:
                problems.append(problem)
    relations, found = build_relations(raws, marks.mentions)
    problems.extend(found)
    if not fields.get("id"):
        problems.append(Place(path, 1).problem("the header has no id", "Write 'id: NAME'."))
    meta = {k.removeprefix("meta."): v for k, v in fields.items() if k.startswith("meta.")}
    head = Document(
        fields.get("id", path),
        "".join(marks.text),
        fields.get("language", "de"),
        fields.get("date"),
        meta,
    )
    document = build_document(head, tuple(marks.mentions.values()), relations)
    return Reading((document,), (1,), tuple(problems))


def _header(header: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in header.split("\n") if line.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _scan(body: str, path: str, first_line: int) -> _Marks:
    marks = _Marks()
    position, line = 0, first_line
    while position < len(body):
        character = body[position]
        place = Place(path, line)
        line += character == "\n"
        if character == "\\" and body[position + 1 : position + 2] in tuple("[]=\\"):
            marks.add(body[position + 1])
            position += 2
        elif character == "[":
            position = _open(body, position, marks, place)
        elif character == "]":
            _close(marks, place)
            position += 1
        else:
            marks.add(character)
            position += 1
    for name, label, _, opened in marks.open:
        marks.problems.append(
            Place(path, opened).problem(f"mark {name}:{label} is never closed", "Add its ']'.")
        )
    return marks


def _open(body: str, position: int, marks: _Marks, place: Place) -> int:
    match = _MARK.match(body, position)
    if match is None:
        near = body[position : position + 20]
        marks.problems.append(
            place.problem(f"'[' opens no mark: {near!r}", "Write '[1:PER Name]', or '\\['.")
        )
        marks.add("[")
        return position + 1
    marks.open.append((match[1], match[2], marks.length, place.line))
    return match.end()


def _close(marks: _Marks, place: Place) -> None:
    if not marks.open:
        marks.problems.append(place.problem("']' closes nothing", "Write '\\]'."))
        marks.add("]")
        return
    name, label, start, _ = marks.open.pop()
    if name in marks.mentions:
        marks.problems.append(place.problem(f"mark {name} stands twice", "Give one a new name."))
    if label not in scheme.ENTITY_LABELS:
        expected = ", ".join(scheme.ENTITY_LABELS)
        marks.problems.append(
            place.problem(f"mark {name} has the unknown label {label!r}", f"Use one of {expected}.")
        )
    if start == marks.length:
        marks.problems.append(place.problem(f"mark {name}:{label} is empty", "Remove it."))
    else:
        marks.mentions[name] = Mention(start, marks.length, label)
        first = marks.names.setdefault(marks.mentions[name], name)
        if first != name:
            marks.problems.append(place.problem(f"mark {name} says again what {first} says", "Keep one."))


def _relation(content: str, place: Place) -> tuple[RawRelation | None, Problem | None]:
    options = dict(_OPTION.findall(content))
    words = _OPTION.sub("", content).split()
    if not 3 <= len(words) <= 4:
        what = f"{content!r} is no relation"
        return None, place.problem(what, "Write 'LABEL HEAD TAIL [MODALITY] [source=] [time=] [place=]'.")
    modality = words[3] if len(words) == 4 else "asserted"
    raw = RawRelation(
        f"of line {place.line}",
        words[0],
        words[1],
        words[2],
        modality,
        options.get("source"),
        options.get("time"),
        options.get("place"),
    )
    return raw, None


def write_inline(path: Path, document: Document) -> None:
    """Write one document, marks numbered in the order of the text."""
    write_whole(path, format_inline(document).encode("utf-8"))


def format_inline(document: Document) -> str:
    """The document as marked text; ``parse_inline`` of it gives an equal document back."""
    annotation = document.annotation
    mentions = sorted(annotation.mentions, key=_opening) if annotation else []
    names = {mention: str(number) for number, mention in enumerate(mentions, 1)}
    lines = [f"id: {document.id}", f"language: {document.language}"]
    lines += [f"date: {document.date}"] if document.date else []
    lines += [f"meta.{key}: {value}" for key, value in document.meta.items()]
    below = []
    for relation in annotation.relations if annotation else ():
        parts = [relation.label, names[relation.head], names[relation.tail], relation.modality]
        for key in ("source", "time", "place"):
            argument = getattr(relation, key)
            parts += [f"{key}={names[argument]}"] if argument is not None else []
        below.append(" ".join(parts))
    header = "\n".join(lines)
    return f"{header}\n{_RULE}\n{_marked(document.text, mentions, names)}\n{_RULE}\n" + "".join(
        f"{line}\n" for line in below
    )


def _opening(mention: Mention) -> tuple[int, int, str]:
    return (mention.start, -mention.end, mention.label)


def _marked(text: str, mentions: Iterable[Mention], names: dict[Mention, str]) -> str:
    opens: dict[int, list[str]] = {}
    closes: dict[int, int] = {}
    for mention in mentions:
        opens.setdefault(mention.start, []).append(f"[{names[mention]}:{mention.label} ")
        closes[mention.end] = closes.get(mention.end, 0) + 1
    out: list[str] = []
    for position, character in enumerate(text):
        out.append("]" * closes.get(position, 0))
        out.extend(opens.get(position, ()))
        at_line_start = position == 0 or text[position - 1] == "\n"
        escaped = character in "[]\\" or (character == "=" and at_line_start)
        out.append(f"\\{character}" if escaped else character)
    out.append("]" * closes.get(len(text), 0))
    return "".join(out)
