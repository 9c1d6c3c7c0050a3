from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.document import Mention
from annotations.formats.smartdata import code_points, parse_smartdata, read_smartdata


def record(text: str, spans: Sequence[tuple[int, int, str]], name: str = "a") -> dict[str, Any]:
    entities = [
        {"id": f"c/{number}", "span": {"start": start, "end": end, "attributes": None}, "type": label}
        for number, (start, end, label) in enumerate(spans)
    ]
    return {
        "id": f"{name}@2016",
        "raw": "",
        "text": {"string": text},
        "uri": {"string": "http://beispiel.example/"},
        "langCode": {"string": "de"},
        "date": {"string": "2016-04-12T13:47:17Z"},
        "tokens": None,
        "conceptMentions": {"array": entities},
        "refids": {"map": {"fileName": f"{name}.xml", "source": "news"}},
    }


def test_objects_on_one_line_or_many_are_documents(tmp_path: Path) -> None:
    records = [
        record("Eva fährt nach Ulm.", [(0, 3, "person"), (15, 18, "location-city")], "eins"),
        record("Nichts\n{hier}.", [], "zwei"),
    ]
    file = tmp_path / "probe.json.gz"
    source = json.dumps(records[0], indent=2) + "\n\n" + json.dumps(records[1]) + "\n"
    file.write_bytes(gzip.compress(source.encode()))
    reading = read_smartdata(file)
    first, second = reading.checked()
    assert (first.id, first.date, first.language) == ("eins", "2016-04-12T13:47:17Z", "de")
    assert first.meta == {"fileName": "eins.xml", "source": "news", "url": "http://beispiel.example/"}
    assert first.annotation is not None
    assert [(m.label, first.surface(m)) for m in first.annotation.mentions] == [
        ("person", "Eva"),
        ("location-city", "Ulm"),
    ]
    assert second.text == "Nichts\n{hier}."
    assert second.annotation is not None
    assert reading.lines[0] == 1
    assert source.split("\n")[reading.lines[1] - 1].startswith("{")


def test_offsets_count_utf_16_units() -> None:
    text = "🚧 A7 bei 🚗Ulm"
    units = len(text[: text.index("Ulm")].encode("utf-16-le")) // 2
    source = json.dumps(record(text, [(units, units + 3, "location-city")])).encode()
    (document,) = parse_smartdata(source, "f").checked()
    assert document.annotation is not None
    assert [document.surface(m) for m in document.annotation.mentions] == ["Ulm"]


@given(st.text())
def test_every_unit_that_begins_a_character_has_its_code_point(text: str) -> None:
    points = code_points(text)
    for point in range(len(text) + 1):
        unit = len(text[:point].encode("utf-16-le", "surrogatepass")) // 2
        assert points[unit] == point
    assert len(points) == len(text) + 1


def test_white_space_at_the_border_is_left_out() -> None:
    source = json.dumps(record("Kreis Ulm\nhier", [(0, 10, "location")])).encode()
    (document,) = parse_smartdata(source, "f").checked()
    assert document.annotation is not None
    assert document.annotation.mentions == (Mention(0, 9, "location"),)


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ('{"id": "x", ', "no JSON object"),
        ('{"id": "x"}', "no text"),
        ('{"text": {"string": "Ulm"}}', "no id"),
        (json.dumps(record("Ulm", [(0, 4, "location")])), "span [0, 4)"),
        (json.dumps(record("Ulm", [(2, 2, "location")])), "span [2, 2)"),
        (json.dumps(record("🚧 Ulm", [(1, 6, "location")])), "span [1, 6)"),
        (json.dumps(record("Ulm  ", [(3, 5, "location")])), "span [3, 5)"),
        (json.dumps(record("Ulm", [(0, 3, "")])), "no span or no type"),
        ('{"id": "x", "text": {"string": "U"}, "conceptMentions": {"array": [7]}}', "no span or no type"),
        ('{"id": "x", "text": {"string": "U"}, "conceptMentions": {"array": [{"type": "a"}]}}', "no span"),
    ],
)
def test_a_wrong_object_does_not_hide_the_next_one(broken: str, what: str) -> None:
    good = json.dumps(record("Ulm", [(0, 3, "location-city")]))
    reading = parse_smartdata(f"{good}\n{broken}\n{good}\n".encode(), "f")
    assert [document.text for document in reading.documents] == ["Ulm", "Ulm"]
    assert reading.lines == (1, 3)
    assert len(reading.problems) == 1
    assert what in reading.problems[0].what
    assert reading.problems[0].line == 2


def test_an_object_starts_a_line() -> None:
    problems = parse_smartdata(b'[{"id": "x"}]\n', "f").problems
    assert [problem.what for problem in problems] == ["no JSON object"]


def test_a_damaged_file_is_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "probe.json.gz"
    file.write_bytes(gzip.compress(b"{}" * 1000)[:-9])
    (problem,) = read_smartdata(file).problems
    assert "cannot be unpacked" in problem.what
