"""reading.html: the texts with their mentions, and a table of their relations. No script, no network."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from pipeline.outputs.evidence import evidence, sentence_borders

TEMPLATES = Path(__file__).resolve().parent / "templates"
MOST_DOCUMENTS = 200  # a page of more is no page that anybody reads


@dataclass(frozen=True, slots=True)
class Row:
    """A relation as words."""

    relation: Relation
    head: str
    tail: str
    source: str
    time: str
    place: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Section:
    """A document as the page shows it."""

    document: Document
    paragraphs: tuple[Markup, ...]
    actors: tuple[Row, ...]
    static: tuple[Row, ...]
    mentions: int
    trained_on: bool


def section(document: Document, annotation: Annotation, *, trained_on: bool) -> Section:
    """Marks set, relations in words."""
    rows = list(_rows(document, annotation))
    return Section(
        document,
        tuple(_paragraphs(document, annotation)),
        tuple(row for row in rows if row.relation.label in scheme.ACTOR_RELATIONS),
        tuple(row for row in rows if row.relation.label in scheme.STATIC_RELATIONS),
        len(annotation.mentions),
        trained_on,
    )


def _rows(document: Document, annotation: Annotation) -> Iterator[Row]:
    borders = sentence_borders(document) if annotation.relations else None

    def surface(mention: Mention | None) -> str:
        return " ".join(document.surface(mention).split()) if mention else ""

    for relation in sorted(annotation.relations):
        assert borders is not None
        yield Row(
            relation,
            surface(relation.head),
            surface(relation.tail),
            surface(relation.source),
            surface(relation.time),
            surface(relation.place),
            evidence(document, relation, borders),
        )


def _paragraphs(document: Document, annotation: Annotation) -> Iterator[Markup]:
    marks = sorted(annotation.mentions, key=lambda m: (m.start, -m.end))
    first = 0
    for start, end in _blocks(document.text):
        last = bisect_left(marks, end, first, key=lambda m: m.start)
        inside = [mention for mention in marks[first:last] if start <= mention.start and mention.end <= end]
        first = last
        yield Markup("").join(_marked(document.text, inside, start, end))


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Blocks between empty lines; a mention never crosses one."""
    start = 0
    while start < len(text):
        end = text.find("\n\n", start)
        end = len(text) if end < 0 else end
        if text[start:end].strip():
            yield start, end
        start = end + 2


def _marked(text: str, mentions: Sequence[Mention], start: int, end: int) -> Iterator[Markup]:
    """The text between two positions; mentions come sorted, an outer one before its inner ones."""
    position = start
    index = 0
    while index < len(mentions):
        outer = mentions[index]
        inner: list[Mention] = []
        index += 1
        while index < len(mentions) and mentions[index].end <= outer.end:
            inner.append(mentions[index])
            index += 1
        yield escape(text[position : outer.start])
        content = Markup("").join(_marked(text, inner, outer.start, outer.end))
        yield Markup('<mark class="{0}" title="{0} {1:.2f}">{2}<b>{0}</b></mark>').format(
            outer.label, outer.score, content
        )
        position = outer.end
    yield escape(text[position:end])


def render(sections: Iterable[Section], *, title: str, model: str, left_out: int) -> str:
    """The whole page. ``left_out``: documents that were read but are not on the page."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    template = environment.get_template("reading.html")
    return template.render(
        sections=list(sections),
        title=title,
        model=model,
        left_out=left_out,
        labels=scheme.ENTITY_LABELS,
    )
