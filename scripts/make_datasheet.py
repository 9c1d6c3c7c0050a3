"""Write the tables of the data sheet anew from the data: python scripts/make_datasheet.py --articles DIR."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from pathlib import Path

from annotations.corpus import read_corpus, read_texts
from annotations.document import Document
from annotations.stats import tables

ROOT = Path(__file__).resolve().parent.parent
GOLD = ROOT / "annotations" / "gold"
SHEET = GOLD / "DATASHEET.md"


def main() -> None:
    """Replace what stands between the marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=Path, required=True)
    options = parser.parse_args()
    texts = read_texts(options.articles)
    parts = {"articles": read_corpus(GOLD / "articles" / "articles.jsonl", texts)}
    for split in ("train", "development", "test"):
        parts[split] = read_corpus(GOLD / "dispatches" / f"{split}.jsonl", {})
    sheet = SHEET.read_text("utf-8")
    sheet = _between(sheet, "sizes", _sizes(parts))
    articles, dispatches = GOLD / "articles" / "passes", GOLD / "dispatches" / "passes"
    told = _agreement(dispatches / "first.jsonl", dispatches / "second.jsonl")
    sheet = _between(sheet, "agreement on dispatches", told)
    told = _agreement(articles / "a.jsonl", articles / "b.jsonl", "--articles", str(options.articles))
    sheet = _between(sheet, "agreement on articles", told)
    SHEET.write_text(sheet, encoding="utf-8")


def _between(sheet: str, name: str, content: str) -> str:
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = sheet.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{content.strip()}\n{end}{after}"


def _sizes(parts: dict[str, tuple[Document, ...]]) -> str:
    rows = ["| part | documents | words | mentions | relations |", "|---|---|---|---|---|"]
    for name, documents in parts.items():
        annotations = [document.annotation for document in documents if document.annotation]
        words = sum(len(document.text.split()) for document in documents)
        mentions = sum(len(annotation.mentions) for annotation in annotations)
        relations = sum(len(annotation.relations) for annotation in annotations)
        rows.append(f"| {name} | {len(documents)} | {words} | {mentions} | {relations} |")
    dispatches = [d for name, documents in parts.items() if name != "articles" for d in documents]
    genres = _counted(dispatches, "genre")
    years = Counter(f"{(document.date or '?')[:3]}0s" for document in dispatches)
    decades = ", ".join(f"{decade} {count}" for decade, count in sorted(years.items()))
    theatres = len({document.meta.get("theatre") for document in dispatches})
    return "\n\n".join(
        (
            "\n".join(rows),
            f"Dispatches: {theatres} theatres as they name them; genres: {genres}; by decade: {decades}.",
            "### All dispatches",
            tables(dispatches),
            "### The articles",
            tables(parts["articles"]),
        )
    )


def _counted(documents: list[Document], key: str) -> str:
    counts = Counter(document.meta.get(key, "?") for document in documents)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common(12))


def _agreement(first: Path, second: Path, *options: str) -> str:
    shown = ["python", "-m", "eval.agreement", *(str(path.relative_to(ROOT)) for path in (first, second))]
    command = [sys.executable, *shown[1:], *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    # The tables alone: the list of disagreements quotes the articles, whose texts stay out.
    table = done.stdout.partition("## Disagreements")[0].partition("\n")[2].rstrip()
    told = " ".join([*shown, *(["--articles DIR"] if options else [])])
    return f"`{told}`\n\n{table.replace('## ', '### ')}"


if __name__ == "__main__":
    main()
