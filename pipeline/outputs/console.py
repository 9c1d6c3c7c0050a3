"""What a run says on the terminal. All of it is escaped: texts and ids are not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from annotations import scheme

if TYPE_CHECKING:
    from pipeline.run import Outcome


@contextmanager
def progress(total: int | None) -> Iterator[Callable[[], None]]:
    """A bar over so many documents on a terminal; nothing elsewhere, or where no total is given."""
    console = Console(stderr=True)
    if total is None or not console.is_terminal:
        yield lambda: None
        return
    columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        number = bar.add_task("", total=total)
        yield lambda: bar.advance(number)


def report(outcome: Outcome, manifest: dict[str, Any], output: Path) -> None:
    """The short table at the end, and loud words about what is not as it should be."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table("relation", "all", *scheme.MODALITIES, box=None, header_style="bold")
    for label in scheme.RELATION_LABELS:
        counts = [outcome.relations[label, modality] for modality in scheme.MODALITIES]
        if sum(counts):
            table.add_row(label, str(sum(counts)), *(str(count or "·") for count in counts))
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    counts, seconds = manifest["counts"], manifest["seconds"]
    console.print(
        f"{counts['documents']} document(s), {counts['words']} words, {counts['mentions']} mentions, "
        f"{counts['relations']} relations in {seconds['all']:.1f} s; "
        f"{counts['pieces_truncated']} pieces truncated"
    )
    if manifest["dropped"]["documents_set_aside"]:
        number = manifest["dropped"]["documents_set_aside"]
        console.print(f"[bold]{number} document(s) set aside[/bold]: {_path(output / 'rejected.jsonl')}")
    if outcome.gold:
        _scores(console, output)
    if outcome.leaked:
        console.print(
            f"[bold]CAUTION: {len(outcome.leaked)} document(s) were part of this model's training[/bold]; "
            "what it reads there says nothing about unseen text."
        )
    console.print(f"open {_path(output / 'reading.html')}")


def _scores(console: Console, output: Path) -> None:
    console.print(f"scored against the gold in the input: {_path(output / 'report.html')}")


def _path(path: Path) -> str:
    return escape("".join(c if c.isprintable() else "\ufffd" for c in str(path)))
