import itertools
import json
import re
from pathlib import Path

import pytest

from annotations import scheme
from annotations.check import check_document
from annotations.document import Document, text_sha256
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


def marked(example: str) -> Document:
    """The example without its relations, read as a document."""
    names = itertools.count(1)
    text = re.sub(r"\[(?=[A-Z]+ )", lambda _: f"[{next(names)}:", re.sub(r"`[^`]*`", "", example))
    reading = parse_inline(f"id: example\n===\n{text}\n===\n", str(MANUAL))
    return reading.checked()[0]


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
    document = marked(example)
    assert document.annotation is not None
    assert not [p for p in check_document(document, Place(str(MANUAL), 1)) if not p.hint]
    labels: dict[str, set[str]] = {}
    for mention in document.annotation.mentions:
        labels.setdefault(document.surface(mention), set()).add(mention.label)
    assert len(RELATION.findall(example)) == len(re.findall(r"`[A-Z_]+ [^`]*`", example))
    for name, head, arrow, tail, rest in RELATION.findall(example):
        signature = scheme.RELATIONS[name]
        assert labels[head] & signature.heads, head
        assert labels[tail] & signature.tails, tail
        assert (arrow == "–") == signature.symmetric
        assert arrow == "→" or document.text.index(head) < document.text.index(tail), "the earlier first"
        for extra in filter(None, rest.split(", ")):
            key, _, value = extra.partition("=")
            if not value:
                assert key in scheme.MODALITIES
                continue
            assert labels[value] & {"source": scheme.ACTOR, "time": {"DATE"}, "place": scheme.PLACE}[key]
            assert key == "source" or name in scheme.ACTOR_RELATIONS


def test_headings_are_in_the_order_of_the_scheme() -> None:
    assert [h for h in re.findall(r"^### (\w+)$", TEXT, re.MULTILINE) if h in LABELS] == list(LABELS)
