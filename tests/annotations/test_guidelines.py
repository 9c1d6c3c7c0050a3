import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from annotations import scheme
from annotations.check import check_document
from annotations.document import text_sha256
from annotations.formats.inline import parse_inline
from annotations.formats.jsonl import parse_line
from annotations.formats.reading import Place

MANUAL = Path(__file__).resolve().parents[2] / "annotations" / "gold" / "GUIDELINES.md"
TEXT = MANUAL.read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
LABELS = (*scheme.ENTITY_LABELS, *scheme.RELATION_LABELS, *scheme.MODALITIES)
EXAMPLES = re.findall(r"^- ([✓✗]) (.+)$", PROSE, re.MULTILINE)
RELATION = re.compile(r"`([A-Z_]+) ([^`→–]+) ([→–]) ([^`,]+)((?:, [^`,]+)*)`")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def section(label: str) -> str:
    found = re.search(rf"^### {label}\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def label_set(cell: str) -> frozenset[str]:
    labels = frozenset(cell.split(", "))
    return (labels - {"ACTOR"}) | scheme.ACTOR if "ACTOR" in labels else labels


def surfaces(example: str) -> list[tuple[str, str]]:
    """The label and the characters of each mark, the outer ones too."""
    found: list[tuple[str, str]] = []
    opened: list[tuple[str, str]] = []
    for token in re.findall(r"\[[A-Z]+ |\]|[^\[\]]+", example):
        if token.startswith("["):
            opened.append((token[1:-1], ""))
        elif token == "]":
            found.append(opened.pop())
            opened = [(label, text + (found[-1][1] if i == len(opened) - 1 else ""))
                      for i, (label, text) in enumerate(opened)]
        else:
            opened = [(label, text + (token if i == len(opened) - 1 else ""))
                      for i, (label, text) in enumerate(opened)]
    assert not opened, f"a mark is never closed: {example}"
    return found


@pytest.mark.parametrize("block", blocks("inline"))
def test_an_inline_document_has_no_problem_and_no_hint(block: str) -> None:
    reading = parse_inline(block, str(MANUAL))
    assert not reading.problems
    assert len(reading.documents) == 1
    assert not [str(problem) for problem in check_document(reading.documents[0], Place(str(MANUAL), 1))]


def test_there_are_two_inline_documents() -> None:
    assert len(blocks("inline")) == 2


def test_the_line_of_the_file_format_has_no_problem() -> None:
    (block,) = blocks("json")
    place = Place(str(MANUAL), 1)
    document, problems = parse_line(block.encode(), place, {})
    assert document is not None
    assert not [*problems, *check_document(document, place)]
    record = json.loads(block)
    text = record.pop("text")
    stand_off = json.dumps(record | {"text_sha256": text_sha256(text)}).encode()
    assert parse_line(stand_off, place, {text_sha256(text): text})[0] == document


@pytest.mark.parametrize("label", LABELS)
def test_a_label_has_a_heading_and_examples(label: str) -> None:
    kinds = re.findall(r"^- ([✓✗]) ", section(label), re.MULTILINE)
    assert kinds.count("✓") >= 3
    assert kinds.count("✗") >= (1 if label == "asserted" else 3)


def test_the_table_of_relations_is_the_scheme() -> None:
    rows = (line.strip("|").split("|") for line in TEXT.splitlines() if line.count("|") == 6)
    cells = [[cell.strip() for cell in row] for row in rows]
    table = {
        label: scheme.Signature(label_set(heads), label_set(tails), order == "symmetric")
        for label, heads, tails, order, _ in cells
        if label in scheme.RELATIONS
    }
    assert table == scheme.RELATIONS
    assert list(table) == list(scheme.RELATIONS)


@pytest.mark.parametrize(("label", "signature"), scheme.RELATIONS.items())
def test_the_section_of_a_relation_says_what_it_joins(label: str, signature: scheme.Signature) -> None:
    joins = re.search(r"^Joins: (.+) ([→–]) (.+)$", section(label), re.MULTILINE)
    assert joins is not None
    said = scheme.Signature(label_set(joins[1]), label_set(joins[3]), joins[2] == "–")
    assert said == signature


def test_rules_are_numbered_through_and_references_exist() -> None:
    numbers = [int(number) for number in re.findall(r"\*\*Rule (\d+)\.\*\*", TEXT)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {int(number) for number in re.findall(r"\brule (\d+)", TEXT, re.IGNORECASE)} <= set(numbers)


@pytest.mark.parametrize("example", [text for _, text in EXAMPLES])
def test_an_example_keeps_the_scheme(example: str) -> None:
    marked = surfaces(re.sub(r"`[^`]*`", "", example))
    assert {label for label, _ in marked} <= set(scheme.ENTITY_LABELS)
    labels: dict[str, set[str]] = {}
    for label, surface in marked:
        labels.setdefault(surface, set()).add(label)
    assert len(RELATION.findall(example)) == len(re.findall(r"`[A-Z_]+ [^`]*`", example))
    for name, head, arrow, tail, rest in RELATION.findall(example):
        signature = scheme.RELATIONS[name]
        assert labels[head] & signature.heads, head
        assert labels[tail] & signature.tails, tail
        assert (arrow == "–") == signature.symmetric
        for extra in filter(None, rest.split(", ")):
            key, _, value = extra.partition("=")
            assert extra in scheme.MODALITIES if not value else True, extra
            if value:
                expected = {"source": scheme.ACTOR, "time": {"DATE"}, "place": scheme.PLACE}[key]
                assert labels[value] & expected, extra
                assert key == "source" or name in scheme.ACTOR_RELATIONS


def test_headings_are_in_the_order_of_the_scheme() -> None:
    found = [found.start() for label in LABELS for found in re.finditer(rf"^### {label}$", TEXT, re.MULTILINE)]
    assert len(found) == len(LABELS)
    assert all(first < second for first, second in pairwise(found))
