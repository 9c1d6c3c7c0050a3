"""Every problem of a corpus, with file and line: ``python -m annotations.check PATH ...``.

A problem breaks the scheme; a hint is something that looks forgotten. Nothing stops at the first one.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from annotations import scheme
from annotations.command import open_texts
from annotations.corpus import read_path
from annotations.document import Annotation, Document, Mention, Relation
from annotations.formats.reading import Place
from annotations.hints import find_hints
from annotations.leaks import find_leaks
from annotations.problems import Problem


def check_document(document: Document, place: Place) -> Iterator[Problem]:
    """The problems of one document against the scheme, hints last."""
    if document.annotation is None:
        return
    yield from _spans(document, document.annotation.mentions, place)
    yield from _nesting(document, document.annotation, place)
    yield from _relations(document, document.annotation, place)
    yield from (place.problem(what, hint=True) for what in find_hints(document))


def check_ids(documents: Iterable[tuple[Document, Place]]) -> Iterator[Problem]:
    """Documents that share an id, or a text."""
    ids: dict[str, Place] = {}
    texts: dict[str, str] = {}
    for document, place in documents:
        if document.id in ids:
            first = ids[document.id]
            yield place.problem(
                f"the id {document.id!r} stands already in {first.path}:{first.line}", "Rename one."
            )
        elif document.text in texts:
            yield place.problem(f"{document.id!r} has the text of {texts[document.text]!r}")
        ids.setdefault(document.id, place)
        texts.setdefault(document.text, document.id)


def _name(document: Document, mention: Mention) -> str:
    return f"{mention.label} {document.surface(mention)!r} [{mention.start}, {mention.end})"


def _spans(document: Document, mentions: Sequence[Mention], place: Place) -> Iterator[Problem]:
    for mention in mentions:
        if mention.end > len(document.text):
            yield place.problem(f"{mention.label} [{mention.start}, {mention.end}) ends beyond the text")
            continue
        surface = document.surface(mention)
        name = _name(document, mention)
        if surface != surface.strip():
            yield place.problem(f"{name} starts or ends with white space", "Move its border.")
        if mention.label not in scheme.ENTITY_LABELS:
            yield place.problem(f"{name} has an unknown label")
        if surface.count("„") != surface.count("“") or surface.count('"') % 2:
            # A hint, since a model may predict it, and its reading must stay readable.
            yield place.problem(f"{name} holds half a pair of quotation marks", "Move its border.", hint=True)
    spans = Counter((mention.start, mention.end) for mention in mentions)
    for (start, end), count in spans.items():
        if count > 1:
            yield place.problem(
                f"{count} mentions share the span [{start}, {end}): {document.text[start:end]!r}",
                "Keep one: an inner mention lies strictly inside its outer one.",
            )


def _nesting(document: Document, annotation: Annotation, place: Place) -> Iterator[Problem]:
    outer, inner = annotation.layers()
    for layer in (outer, inner):
        for first, second in itertools.pairwise(layer):
            if first.overlaps(second):
                yield place.problem(
                    f"{_name(document, first)} overlaps {_name(document, second)} in the same layer",
                    "Two layers, no deeper: drop one, or put it strictly inside one outer mention.",
                )


def _relations(document: Document, annotation: Annotation, place: Place) -> Iterator[Problem]:
    for relation in annotation.relations:
        yield from _relation(document, relation, place)
    pairs = Counter((r.label, r.head, r.tail) for r in annotation.relations)
    for (label, head, tail), count in pairs.items():
        if count > 1:
            name = f"{label} {_name(document, head)} → {_name(document, tail)}"
            yield place.problem(f"{name} stands {count} times", "Keep one.")


def _relation(document: Document, relation: Relation, place: Place) -> Iterator[Problem]:
    head, tail = _name(document, relation.head), _name(document, relation.tail)
    name = f"relation {relation.label} {head} → {tail}"
    if relation.label not in scheme.RELATIONS:
        yield place.problem(f"{name} has an unknown label")
        return
    if not scheme.allowed(relation.label, relation.head, relation.tail):
        signature = scheme.RELATIONS[relation.label]
        heads, tails = ", ".join(sorted(signature.heads)), ", ".join(sorted(signature.tails))
        found = f"{relation.head.label} → {relation.tail.label}"
        yield place.problem(
            f"{name} joins {found}; allowed: {heads} → {tails}", "Correct the label or an argument."
        )
    if relation != scheme.canonical(relation):
        yield place.problem(f"{name} is symmetric; the earlier mention is its head", "Swap them.")
    extras = (("time", relation.time, {"DATE"}), ("place", relation.place, scheme.PLACE))
    for key, argument, labels in extras:
        if argument is None:
            continue
        if argument.label not in labels:
            expected = " or ".join(sorted(labels))
            yield place.problem(f"{name} has the {key} {_name(document, argument)}; use {expected}")
        if relation.label in scheme.STATIC_RELATIONS:
            yield place.problem(f"{name} has a {key}; only relations between actors do", "Drop it.")
    if relation.source is not None and relation.source.label not in scheme.ACTOR:
        yield place.problem(f"{name} has the source {_name(document, relation.source)}; a source is an actor")


def check_paths(paths: Sequence[Path], texts: dict[str, str]) -> list[Problem]:
    """All problems and hints of the files and folders, in order of file and line."""
    problems: list[Problem] = []
    placed: list[tuple[Document, Place]] = []
    for path in paths:
        for file, reading in read_path(path, texts):
            problems.extend(reading.problems)
            for document, line in zip(reading.documents, reading.lines, strict=True):
                placed.append((document, Place(str(file), line)))
                problems.extend(check_document(document, placed[-1][1]))
    return [*problems, *check_ids(placed), *find_leaks(placed)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every problem. Returns 1 where there is one that is no hint, 2 where a path is missing."""
    parser = argparse.ArgumentParser(prog="annotations.check", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="files or folders (.jsonl, .inline)")
    parser.add_argument("--articles", type=Path, help="folder with the texts of stand-off files")
    parser.add_argument("--no-hints", action="store_true", help="only what breaks the scheme")
    options = parser.parse_args(arguments)
    texts = open_texts(options.paths, options.articles)
    if isinstance(texts, int):
        return texts
    problems = check_paths(options.paths, texts)
    hints = [problem for problem in problems if problem.hint]
    errors = [problem for problem in problems if not problem.hint]
    for problem in errors + ([] if options.no_hints else hints):
        print(problem)
    print(f"{len(errors)} problem(s), {len(hints)} hint(s)")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
