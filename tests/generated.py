"""Documents made up by hypothesis: odd characters, two layers, relations of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation

# No lone surrogates: no UTF-8 file can hold them. Brackets, backslashes and rules are there on purpose.
TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("abcÄß€ .\n\r\t[]\\=#„“\"'-\u0308\u00ad\u200d\U0001f1e9\x00")),
        st.characters(exclude_categories=("Cs",)),
    ),
    max_size=60,
)


@st.composite
def spans(draw: st.DrawFn, start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Spans that do not overlap, within [start, end)."""
    borders = draw(st.lists(st.integers(start, end), max_size=2 * most, unique=True).map(sorted))
    return [(a, b) for a, b in zip(borders[::2], borders[1::2], strict=False)]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document whose annotation fits the types, if not the sense, of the scheme."""
    text = draw(TEXTS)
    label = st.sampled_from(scheme.ENTITY_LABELS)
    mentions: list[Mention] = []
    for start, end in draw(spans(0, len(text), 4)):
        mentions.append(Mention(start, end, draw(label)))
        inner = draw(spans(start, end, 2))
        mentions += [Mention(a, b, draw(label)) for a, b in inner if (a, b) != (start, end)]
    relations: set[Relation] = set()
    if len(mentions) > 1:
        for _ in range(draw(st.integers(0, 4))):
            head, tail = draw(st.permutations(mentions))[:2]
            optional = st.none() | st.sampled_from(mentions)
            relations.add(
                scheme.canonical(
                    Relation(
                        head,
                        tail,
                        draw(st.sampled_from(scheme.RELATION_LABELS)),
                        modality=draw(st.sampled_from(scheme.MODALITIES)),
                        source=draw(optional),
                        time=draw(optional),
                        place=draw(optional),
                    )
                )
            )
    annotation = Annotation(tuple(sorted(mentions)), tuple(sorted(relations)))
    name = draw(st.text(alphabet="abc-0", min_size=1, max_size=8))
    return Document(name, text, annotation=annotation)


def attributes(document: Document) -> list[tuple[object, ...]]:
    """Everything about relations that equality leaves out."""
    assert document.annotation is not None
    return [(r, r.modality, r.source, r.time, r.place) for r in document.annotation.relations]
