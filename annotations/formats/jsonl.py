"""The scheme's own format: JSON Lines, one document a line, with the text or with its fingerprint.

Everything that is wrong is found before anything is refused. A lone surrogate, which no UTF-8 file can
hold, is read as U+FFFD, one for one, so that offsets stay what they were.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import orjson

from annotations import scheme
from annotations.document import Annotation, Document, Mention, text_sha256
from annotations.formats.reading import (
    Place,
    RawRelation,
    Reading,
    build_document,
    build_relations,
    write_whole,
)
from annotations.problems import Problem

SUFFIX = ".jsonl"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some editors put it before the first line


def read_jsonl(path: Path, texts: Mapping[str, str] | None = None) -> Reading:
    """Read a corpus. ``texts`` gives the text of a stand-off document by its SHA-256."""
    documents: list[Document] = []
    lines: list[int] = []
    problems: list[Problem] = []
    for number, raw in raw_lines(path):
        document, found = parse_line(raw, Place(str(path), number), texts or {})
        problems.extend(found)
        if document is not None:
            documents.append(document)
            lines.append(number)
    return Reading(tuple(documents), tuple(lines), tuple(problems))


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, with their numbers from 1, one in memory at a time."""
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, 1):
            if number == 1:
                raw = raw.removeprefix(_BYTE_ORDER_MARK)
            if raw.strip():
                yield number, raw


def parse_line(raw: bytes, place: Place, texts: Mapping[str, str]) -> tuple[Document | None, list[Problem]]:
    """One line as a Document, or None and why not. A document with problems is not built."""
    try:
        record = _loads(raw)
    except UnicodeDecodeError as error:
        return None, [place.problem(f"the line is no UTF-8: {error.reason} at byte {error.start}")]
    except (ValueError, RecursionError) as error:  # ValueError: also for a number of thousands of digits
        return None, [place.problem(f"the line is no JSON: {error}", "Write one object a line.")]
    if not isinstance(record, dict):
        return None, [place.problem(f"expected an object, found {type(record).__name__}")]
    return parse_record(record, place, texts)


def _loads(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        # Slower, but reads lone surrogates, and says in words what is wrong.
        return _without_surrogates(json.loads(raw.decode("utf-8")))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return value


def parse_record(
    record: dict[str, Any], place: Place, texts: Mapping[str, str]
) -> tuple[Document | None, list[Problem]]:
    """A decoded line as a Document, or None and every reason why not."""
    text, problems = _text(record, place, texts)
    name = record.get("id")
    if not isinstance(name, str) or not name:
        problems.append(place.problem("the document has no id", "Give it one: a string."))
    meta = record.get("meta", {})
    if not isinstance(meta, dict) or not all(isinstance(v, str) for v in meta.values()):
        problems.append(place.problem("meta is no flat map of strings", "Make each value a string."))
    for key in ("language", "date"):
        if not isinstance(record.get(key), str | None):
            problems.append(place.problem(f"{key} is no string"))
    if text is None or problems:
        return None, problems
    head = Document(str(name), text, record.get("language") or "de", record.get("date"), dict(meta))
    if "entities" not in record and "relations" not in record:
        return head, []
    mentions, problems = _mentions(record, text, place)
    raws, found = _raw_relations(record, place)
    # A mention that is wrong makes every relation of it dangle: say the first thing only.
    relations, dangling = build_relations([(raw, place) for raw in raws], mentions)
    problems += found + ([] if problems else dangling)
    if problems:
        return None, problems
    return build_document(head, tuple(mentions.values()), relations), []


def _text(record: dict[str, Any], place: Place, texts: Mapping[str, str]) -> tuple[str | None, list[Problem]]:
    text, digest = record.get("text"), record.get("text_sha256")
    if text is None and isinstance(digest, str):
        if digest in texts:
            return texts[digest], []
        what = f"no text with the SHA-256 {digest[:12]}… was found"
        return None, [place.problem(what, "Name the folder of the texts with articles=DIR.")]
    if not isinstance(text, str):
        return None, [place.problem("there is neither text nor text_sha256", "Give one of them.")]
    if isinstance(digest, str) and digest != text_sha256(text):
        return None, [place.problem("text_sha256 is not that of the text", "Correct or drop it.")]
    return text, []


def _list(record: dict[str, Any], key: str, place: Place) -> tuple[list[Any], list[Problem]]:
    value = record.get(key, [])
    if not isinstance(value, list):
        return [], [place.problem(f"{key} is no list")]
    problems = [
        place.problem(f"{key}[{index}] is no object")
        for index, item in enumerate(value)
        if not isinstance(item, dict)
    ]
    return [item for item in value if isinstance(item, dict)], problems


def _mentions(record: dict[str, Any], text: str, place: Place) -> tuple[dict[str, Mention], list[Problem]]:
    mentions: dict[str, Mention] = {}
    names: dict[Mention, str] = {}
    items, problems = _list(record, "entities", place)
    for index, item in enumerate(items):
        name = item.get("id")
        if not isinstance(name, str):
            problems.append(place.problem(f"entities[{index}] has no id", "Give it one: a string."))
            continue
        if name in mentions:
            problems.append(place.problem(f"entity id {name!r} stands twice", "Rename one."))
            continue
        mention, found = _mention(item, name, text, place)
        problems.extend(found)
        if mention is not None:
            mentions[name] = mention
            first = names.setdefault(mention, name)
            if first != name:
                problems.append(place.problem(f"entity {name} says again what {first} says", "Keep one."))
    return mentions, problems


def _mention(
    item: dict[str, Any], name: str, text: str, place: Place
) -> tuple[Mention | None, list[Problem]]:
    start, end, label = item.get("start"), item.get("end"), item.get("label")
    score, country = item.get("score", 1.0), item.get("country")
    problems = []
    if label not in scheme.ENTITY_LABELS:
        expected = ", ".join(scheme.ENTITY_LABELS)
        what = f"entity {name} has the unknown label {label!r}"
        problems.append(place.problem(what, f"Use one of {expected}."))
    if not (_is_offset(start) and _is_offset(end) and 0 <= start < end <= len(text)):
        what = f"entity {name} has the span [{start!r}, {end!r})"
        remedy = f"Expected code points with 0 <= start < end <= {len(text)}."
        return None, [*problems, place.problem(what, remedy)]
    surface = text[start:end]
    if "surface" in item and item["surface"] != surface:
        what = f"entity {name} says {item['surface']!r}, but the text there is {surface!r}"
        problems.append(place.problem(what, "Correct the offsets or the surface."))
    if not _is_score(score):
        problems.append(place.problem(f"entity {name} has the score {score!r}", "Expected 0 to 1."))
    if not isinstance(country, str | None):
        problems.append(place.problem(f"entity {name} has a country that is no string"))
    if problems:
        return None, problems
    return Mention(start, end, str(label), float(score), country), []


def _raw_relations(record: dict[str, Any], place: Place) -> tuple[list[RawRelation], list[Problem]]:
    raws: list[RawRelation] = []
    items, problems = _list(record, "relations", place)
    for index, item in enumerate(items):
        name = item.get("id", f"relations[{index}]")
        optional = [item.get(key) for key in ("source", "time", "place")]
        required = [item.get(key) for key in ("label", "head", "tail")]
        modality, score = item.get("modality", "asserted"), item.get("score", 1.0)
        strings = [name, modality, *required, *(value for value in optional if value is not None)]
        if not all(isinstance(value, str) for value in strings):
            what = f"relation {name} needs label, head, tail, and strings for every argument"
            problems.append(place.problem(what, "Refer to entities by their ids."))
        elif not _is_score(score):
            problems.append(place.problem(f"relation {name} has the score {score!r}"))
        else:
            label, head, tail = (str(value) for value in required)
            source, time, where = optional
            raws.append(RawRelation(name, label, head, tail, modality, source, time, where, float(score)))
    return raws, problems


def _is_offset(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_score(value: object) -> bool:
    return isinstance(value, int | float) and 0.0 <= value <= 1.0  # NaN is not


def write_jsonl(
    path: Path, documents: Iterable[Document], *, stand_off: bool = False, scores: bool = False
) -> None:
    """Write a corpus. Stand-off leaves the text out, names its SHA-256 and gives each surface."""
    rows = (to_record(document, stand_off=stand_off, scores=scores) for document in documents)
    write_whole(path, b"".join(orjson.dumps(row) + b"\n" for row in rows))


def to_record(document: Document, *, stand_off: bool, scores: bool) -> dict[str, Any]:
    """The object of one line. Raises ValueError for a score that is not finite."""
    record: dict[str, Any] = {"id": document.id, "language": document.language}
    if document.date is not None:
        record["date"] = document.date
    if document.meta:
        record["meta"] = dict(document.meta)
    if stand_off:
        record["text_sha256"] = text_sha256(document.text)
    else:
        record["text"] = document.text
    if document.annotation is None:
        return record
    mentions = sorted(document.annotation.mentions, key=lambda m: (m.start, -m.end, m.label))
    names = {mention: f"T{number}" for number, mention in enumerate(mentions, 1)}
    record["entities"] = [
        _entity(names[mention], mention, document if stand_off or scores else None, scores=scores)
        for mention in mentions
    ]
    record["relations"] = _relation_records(document.annotation, names, scores=scores)
    return record


def _entity(name: str, mention: Mention, document: Document | None, *, scores: bool) -> dict[str, Any]:
    entity: dict[str, Any] = {
        "id": name,
        "label": mention.label,
        "start": mention.start,
        "end": mention.end,
    }
    if document is not None:
        entity["surface"] = document.surface(mention)
    if mention.country is not None:
        entity["country"] = mention.country
    if scores:
        entity["score"] = _finite(mention.score)
    return entity


def _relation_records(
    annotation: Annotation, names: Mapping[Mention, str], *, scores: bool
) -> Sequence[dict[str, Any]]:
    rows = []
    for number, relation in enumerate(sorted(annotation.relations), 1):
        row: dict[str, Any] = {
            "id": f"R{number}",
            "label": relation.label,
            "head": names[relation.head],
            "tail": names[relation.tail],
            "modality": relation.modality,
            "source": names[relation.source] if relation.source else None,
        }
        for key, argument in (("time", relation.time), ("place", relation.place)):
            if argument is not None:
                row[key] = names[argument]
        if scores:
            row["score"] = _finite(relation.score)
        rows.append(row)
    return rows


def _finite(score: float) -> float:
    # orjson would write NaN as null without a word.
    if not math.isfinite(score):
        raise ValueError(f"a score is {score}; expected a finite number")
    return round(score, 4)
