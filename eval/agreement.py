"""How far two annotations of the same texts agree, and where not: ``python -m eval.agreement A B``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from annotations import scheme
from annotations.corpus import read_texts
from annotations.document import Annotation, Document, Relation, text_sha256
from annotations.problems import CorpusError
from eval.align import AlignmentError, Pair, align, reading
from eval.counts import Counts, merge, ratio, total
from eval.findings import HIT, MISSED, Finding, findings, relation_words
from eval.metrics import METRICS
from eval.metrics.attributes import confusions, square
from eval.metrics.relations import ATTRIBUTES, GROUPS, MODES, attribute, found, matched
from eval.report.markdown import percent, plain
from eval.report.record import in_order
from eval.run import InputError, read_documents

_QUESTIONS = (
    "mentions.strict.both",
    "mentions.strict.outer",
    "mentions.strict.inner",
    "mentions.boundaries.both",
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two readings of the same documents, side by side. F1 does not hang on which of them is the first."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()

    def tally(self, metric: str) -> dict[str, Counts]:
        """The counts of a metric over all documents, the first reading as gold."""
        return merge(METRICS[metric].count(pair) for pair in self.pairs)

    def boundaries(self) -> dict[str, float]:
        """Of the mentions that one of the two calls so, the share whose span the other has, by label."""
        found_: Counter[str] = Counter()
        whole: Counter[str] = Counter()
        for pair in self.pairs:
            first, second = pair.readings
            for ours, theirs in ((first, second), (second, first)):
                spans = {(m.start, m.end) for m in theirs.mentions}
                whole.update(m.label for m in ours.mentions)
                found_.update(m.label for m in ours.mentions if (m.start, m.end) in spans)
        return {label: found_[label] / count for label, count in whole.items()}

    def on_shared_mentions(self) -> dict[str, Counts]:
        """Relations between mentions that both readings have: what is left is agreement on relations."""
        return merge(found(MODES["strict"])(_shared(pair)) for pair in self.pairs)

    def modalities(self) -> Counter[tuple[str, str, str]]:
        """(label, first, second) → how often, on the relations that both have."""
        tables = [confusions(pair, MODES["strict"])["modality"] for pair in self.pairs]
        return sum(tables, Counter())

    def disagreements(self) -> Iterator[tuple[str, Finding]]:
        """Document by document, what only one of the two has."""
        for pair in self.pairs:
            yield from ((pair.gold.id, f) for f in findings(pair) if f.status != HIT)

    def differences(self) -> Iterator[tuple[str, Relation, Relation, list[str]]]:
        """The relations that both have with another modality, source, time or place."""
        mode = MODES["strict"]
        for pair in self.pairs:
            for ours, theirs in matched(pair, mode):
                names = [n for n in ATTRIBUTES if attribute(ours, n, mode) != attribute(theirs, n, mode)]
                if names:
                    yield pair.gold.id, ours, theirs, names


def agree(first: Sequence[Document], second: Sequence[Document]) -> Agreement:
    """Set two annotations side by side. Documents that only one of them has are left out, and named.

    Raises AlignmentError where they share no document, or a document has two texts.
    """
    ours = {d.id for d in first if d.annotation is not None}
    theirs = {d.id for d in second if d.annotation is not None}
    both = ours & theirs
    if not both:
        raise AlignmentError(["the two annotations share no document; expected the same ids in both"])
    alone = sorted(ours ^ theirs)
    notes = (f"{len(alone)} document(s) only one has, left out: {', '.join(alone)}",) if alone else ()
    alignment = align([d for d in first if d.id in both], [d for d in second if d.id in both])
    return Agreement(alignment.pairs, notes)


def kappa(cells: Mapping[tuple[str, str], int]) -> float | None:
    """Cohen's kappa of a confusion; None where chance alone would agree on everything."""
    whole = sum(cells.values())
    rows: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    for (first, second), count in cells.items():
        rows[first] += count
        columns[second] += count
    same = ratio(sum(count for (first, second), count in cells.items() if first == second), whole)
    chance = ratio(sum(rows[value] * columns[value] for value in rows), whole * whole)
    return None if not whole or chance == 1.0 else (same - chance) / (1 - chance)


def render(agreement: Agreement) -> str:
    """The agreement as Markdown, disagreements last."""
    lines = [f"# Agreement on {len(agreement.pairs)} document(s)", ""]
    lines += [f"- {plain(note)}" for note in agreement.notes]
    lines += ["", "| what | F1 | both | only A | only B |", "| --- | ---: | ---: | ---: | ---: |"]
    lines += [_row(METRICS[name].title, total(agreement.tally(name))) for name in _QUESTIONS]
    for name in ("relations.strict", "relations.boundaries"):
        tally = agreement.tally(name)
        lines += [_row(f"{METRICS[name].title}, {g}", total(tally, ls)) for g, ls in GROUPS.items()]
    shared = agreement.on_shared_mentions()
    lines += [_row(f"relations between shared mentions, {g}", total(shared, ls)) for g, ls in GROUPS.items()]
    lines += ["", "## Modality of the relations that both have", *_modality(agreement)]
    lines += ["", "## Per label", "", "| label | F1 | both | only A | only B | F1, boundaries |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | ---: |"]
    for name in ("mentions.strict.both", "relations.strict"):
        tally, spans = agreement.tally(name), agreement.boundaries()
        for label in in_order(tally, METRICS[name].labels):
            lines.append(f"{_row(label, tally[label])} {percent(spans[label]) if label in spans else ''} |")
    return "\n".join((*lines, "", "## Disagreements", *_disagreements(agreement), ""))


def _row(title: str, counts: Counts) -> str:
    return f"| {title} | {percent(counts.f1)} | {counts.hits} | {counts.missed} | {counts.spurious} |"


def _modality(agreement: Agreement) -> Iterator[str]:
    table = agreement.modalities()
    yield ""
    for group, labels in GROUPS.items():
        cells = square(table, labels)
        same = sum(count for (first, second), count in cells.items() if first == second)
        value = kappa(cells)
        shown = "undefined (one value only)" if value is None else f"{value:.3f}"
        yield f"- {group}: κ {shown}; the same on {same} of {cells.total()}"
    yield ""
    yield f"| A \\ B | {' | '.join(scheme.MODALITIES)} |"
    yield "| --- |" + " ---: |" * len(scheme.MODALITIES)
    cells = square(table, GROUPS["all"])
    for first in scheme.MODALITIES:
        yield f"| {first} | {' | '.join(str(cells[first, second]) for second in scheme.MODALITIES)} |"


def _disagreements(agreement: Agreement) -> Iterator[str]:
    documents = {pair.gold.id: pair.gold for pair in agreement.pairs}
    last = ""
    for name, finding in agreement.disagreements():
        if name != last:
            yield f"\n### {plain(name)}\n"
            last = name
        yield f"- only {'A' if finding.status == MISSED else 'B'}: {plain(finding.words)}"
    yield "\n### The same relation, said differently\n"
    for name, ours, theirs, attributes in agreement.differences():
        document = documents[name]
        words = plain(relation_words(document, ours))
        sides = ", ".join(
            f"{a} {_value(document, ours, a)} | {_value(document, theirs, a)}" for a in attributes
        )
        yield f"- {plain(name)}: {words}: {sides}"


def _value(document: Document, relation: Relation, name: str) -> str:
    if name == "modality":
        return relation.modality
    mention = getattr(relation, name)
    return "–" if mention is None else f"{plain(document.surface(mention))} {mention.start}–{mention.end}"


def _shared(pair: Pair) -> Pair:
    mentions = set(reading(pair.gold).mentions) & set(reading(pair.predicted).mentions)

    def kept(document: Document) -> Document:
        relations = (r for r in reading(document).relations if {r.head, r.tail} <= mentions)
        return replace(document, annotation=Annotation(tuple(sorted(mentions)), tuple(relations)))

    return Pair(kept(pair.gold), kept(pair.predicted))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the agreement as Markdown. Returns 2 where the input is unusable."""
    parser = argparse.ArgumentParser(prog="eval.agreement", description=__doc__)
    parser.add_argument("first", type=Path, metavar="A", help="annotated documents: a file or folder")
    parser.add_argument("second", type=Path, metavar="B", help="the same documents by someone else")
    parser.add_argument("--articles", type=Path, help="folder with the texts of stand-off files")
    options = parser.parse_args(arguments)
    try:
        if options.articles is not None and not options.articles.is_dir():
            raise InputError(f"{options.articles}: no such folder")
        texts = read_texts(options.articles) if options.articles else {}
        second = read_documents(options.second, texts)
        texts |= {text_sha256(document.text): document.text for document in second}
        print(render(agree(read_documents(options.first, texts), second)), end="")
    except (InputError, AlignmentError, CorpusError, UnicodeDecodeError) as error:
        for line in str(error).splitlines():
            print(f"eval.agreement: {line}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
