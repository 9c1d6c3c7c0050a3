"""DFKI SmartData: JSON objects one after the other, gzipped, in the style of Avro; entities alone.

    {"id": "…", "text": {"string": "…"}, "conceptMentions": {"array": [
      {"span": {"start": 0, "end": 12}, "type": "person", …}]}, …}

An object starts where a line starts with its brace, on one line or on many. Offsets in the file count
UTF-16 units, so that an emoji counts twice; here they are code points. White space at the border of a
mention is left out of it.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson

from annotations.document import Annotation, Document, Mention
from annotations.formats.reading import Place, Reading
from annotations.problems import Problem

_GZIP = b"\x1f\x8b"
_OBJECT = re.compile(rb"^(?=\{)", re.MULTILINE)


def read_smartdata(path: Path) -> Reading:
    """Read a file, gzipped or not."""
    raw = path.read_bytes()
    try:
        source = gzip.decompress(raw) if raw.startswith(_GZIP) else raw
    except (OSError, EOFError, zlib.error) as error:
        return Reading(problems=(Place(str(path), 1).problem(f"the file cannot be unpacked: {error}"),))
    return parse_smartdata(source, str(path))


def parse_smartdata(source: bytes, path: str) -> Reading:
    """Read objects from bytes; ``path`` stands in the problems."""
    documents: list[Document] = []
    lines: list[int] = []
    problems: list[Problem] = []
    for number, raw in _objects(source):
        place = Place(path, number)
        try:
            record = orjson.loads(raw.rstrip())
        except orjson.JSONDecodeError as error:
            inside = place if error.lineno < 1 else Place(path, number + error.lineno - 1)
            problems.append(
                inside.problem(f"no JSON object: {error.msg}", "Start each on a line of its own.")
            )
            continue
        document, found = _document(record, place)
        problems += found
        if document is not None:
            documents.append(document)
            lines.append(number)
    return Reading(tuple(documents), tuple(lines), tuple(problems))


def _objects(source: bytes) -> Iterator[tuple[int, bytes]]:
    """What stands from one brace at the start of a line to the next, with the line that it starts in."""
    line = 1
    for part in _OBJECT.split(source):
        if part.strip():
            yield line, part
        line += part.count(b"\n")


def _document(record: Any, place: Place) -> tuple[Document | None, list[Problem]]:
    if not isinstance(record, dict):
        return None, [place.problem("no JSON object", "Start each on a line of its own.")]
    text, name = _value(record, "text", str), record.get("id")
    if text is None:
        return None, [place.problem("there is no text", 'Write "text": {"string": "…"}.')]
    if not isinstance(name, str) or not name:
        return None, [place.problem("the document has no id", "Give it one: a string.")]
    entities = _value(record, "conceptMentions", list) or []
    mentions, problems = _mentions(entities, text, place)
    if problems:
        return None, problems
    files = _value(record, "refids", dict) or {}
    meta = {key: str(value) for key, value in files.items() if value is not None}
    url = _value(record, "uri", str)
    meta |= {"url": url} if url else {}
    # The ids of the file are not unique, the names of its sources are.
    title = meta.get("fileName", name).removesuffix(".xml")
    language, date = _value(record, "langCode", str) or "de", _value(record, "date", str)
    annotation = Annotation(tuple(sorted(set(mentions))))
    return Document(title, text, language, date, meta, annotation), []


def _value(record: Any, key: str, kind: type) -> Any:
    """What Avro wraps in an object with the name of its type; None where there is nothing of the kind."""
    value = record.get(key)
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value if isinstance(value, kind) else None


def _mentions(entities: Sequence[Any], text: str, place: Place) -> tuple[list[Mention], list[Problem]]:
    mentions: list[Mention] = []
    problems: list[Problem] = []
    points = code_points(text)
    for number, entity in enumerate(entities):
        span = entity.get("span") if isinstance(entity, dict) else None
        label = entity.get("type") if isinstance(entity, dict) else None
        if not isinstance(span, dict) or not isinstance(label, str) or not label:
            problems.append(place.problem(f"conceptMentions[{number}] has no span or no type"))
            continue
        first, last = span.get("start"), span.get("end")
        start, end = points.get(first), points.get(last)
        surface = text[start:end] if start is not None and end is not None and start < end else ""
        if start is None or not surface.strip():
            what = f"conceptMentions[{number}] ({label}) has the span [{first!r}, {last!r})"
            problems.append(place.problem(what, f"Expected UTF-16 units, 0 to {max(points)}, and a text."))
            continue
        start += len(surface) - len(surface.lstrip())
        mentions.append(Mention(start, start + len(surface.strip()), label))
    return mentions, problems


def code_points(text: str) -> dict[Any, int]:
    """The code point that begins at each UTF-16 unit, and the end; there is none inside a pair of them."""
    units = accumulate((1 + (character > "\uffff") for character in text), initial=0)
    return {unit: point for point, unit in enumerate(units)}
