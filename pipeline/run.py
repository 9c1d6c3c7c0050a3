"""Read articles: ``python -m pipeline.run input=PATH output=DIR``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotations.corpus import read_texts
from annotations.document import Annotation, Document, text_sha256
from annotations.formats.reading import write_whole
from pipeline import versions
from pipeline.allocator import restart_without_thread_caches
from pipeline.config import InputError, application, dump, output_folder
from pipeline.engines.settings import BatchedSettings, EngineSettings, OpenVinoSettings, ReferenceSettings

if TYPE_CHECKING:
    from pipeline.outputs.reading import Section
    from pipeline.outputs.writer import RunWriter
    from pipeline.prediction import AskedPair, Predictor
    from pipeline.text import Read

COMMANDS = ("pipeline.run", "depesche-run")  # how this module is started
_LARGEST = 6 * 1024 * 1024  # bytes: the tables of a chunk are larger, and vary; what a batch needs is smaller
ENGINES: dict[str, type[EngineSettings]] = {
    "batched": BatchedSettings,
    "openvino": OpenVinoSettings,
    "reference": ReferenceSettings,
}


@dataclass
class RunSettings:
    """configs/run.yaml."""

    input: str
    output: str
    model: str
    engine: Any
    language: str = "de"  # of .txt files
    articles: str | None = None  # folder with the texts of stand-off annotations
    limit: int | None = None  # read only the first so many documents
    progress: bool = True

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit={self.limit}: expected at least 1, or null for all documents")


@dataclass
class Outcome:
    """What a run has seen so far."""

    sections: list[Section] = field(default_factory=list)
    gold: list[tuple[Document, Annotation, Annotation]] = field(default_factory=list)
    asked: dict[str, frozenset[AskedPair]] = field(default_factory=dict)  # by document with gold
    read: int = 0
    left_off_page: int = 0
    leaked: list[str] = field(default_factory=list)
    relations: Counter[tuple[str, str]] = field(default_factory=Counter)


def task(settings: RunSettings) -> int:
    """Read every document, and leave one folder. Returns 1 where no document could be read."""
    from pipeline import checkpoint
    from pipeline.outputs.console import report
    from pipeline.outputs.writer import RunWriter
    from pipeline.prediction import Predictor
    from pipeline.text import count_documents, read_input

    started = time.perf_counter()
    path, output = Path(settings.input), output_folder(settings.output)
    total = count_documents(path)
    texts = _texts(settings.articles)
    model = checkpoint.load(checkpoint.find(settings.model), bare=settings.engine.bare())
    predictor = Predictor(model, settings.engine.build(model.reader))
    predictor.ledger.took("load", started)
    items = islice(read_input(path, texts, settings.language), settings.limit)
    outcome = Outcome()
    with RunWriter(output) as writer:
        _read(items, predictor, writer, outcome, total if settings.progress else None)
    _leave(settings, output, outcome)
    manifest = _manifest(settings, predictor, outcome, writer.rejected)
    manifest["seconds"]["all"] = round(time.perf_counter() - started, 3)
    write_whole(output / "manifest.json", versions.to_json(manifest))
    report(outcome, manifest, output)
    return 0 if outcome.read else 1


def _texts(folder: str | None) -> dict[str, str]:
    if folder is None:
        return {}
    if not Path(folder).is_dir():
        raise InputError(f"articles={folder}: no such folder")
    return read_texts(Path(folder))


def _read(
    items: Iterator[Read], predictor: Predictor, writer: RunWriter, outcome: Outcome, total: int | None
) -> None:
    from pipeline.outputs.console import progress
    from pipeline.outputs.reading import MOST_DOCUMENTS, section
    from pipeline.prediction import Failed
    from pipeline.text import Rejected

    trained_on = set(predictor.model.origin.trained_on)

    def documents() -> Iterable[Document]:
        for item in items:
            if isinstance(item, Rejected):
                writer.reject(item)
                advance()
            else:
                yield item

    with progress(total) as advance:
        for result in predictor.read(documents()):
            advance()
            document = result.document
            if isinstance(result, Failed):
                writer.reject(Rejected(document.id, 1, "failed", result.reason, document.id))
                continue
            outcome.read += 1
            writer.write(document, result.annotation, result.given)
            leaked = text_sha256(document.text) in trained_on
            if leaked:
                outcome.leaked.append(document.id)
            if result.given is not None:
                outcome.gold.append((document, result.annotation, result.given))
                outcome.asked[document.id] = result.asked
            if len(outcome.sections) < MOST_DOCUMENTS:
                outcome.sections.append(section(document, result.annotation, trained_on=leaked))
            else:
                outcome.left_off_page += 1
            outcome.relations.update((r.label, r.modality) for r in result.annotation.relations)


def _leave(settings: RunSettings, output: Path, outcome: Outcome) -> None:
    from pipeline.outputs.reading import render

    page = render(
        outcome.sections,
        title=f"Reading of {Path(settings.input).name}",
        model=settings.model,
        left_out=outcome.left_off_page,
    )
    write_whole(output / "reading.html", page.encode("utf-8"))
    write_whole(output / "config.yaml", dump(settings).encode())
    for report in output.glob("report.*"):
        report.unlink()  # of an earlier run
    if outcome.gold:
        _score(settings, output, outcome)


def _score(settings: RunSettings, output: Path, outcome: Outcome) -> None:
    from eval.losses import Trace
    from eval.run import write_report
    from eval.scoring import Conditions, evaluate

    notes: tuple[str, ...] = ()
    if outcome.leaked:
        notes = (
            f"{len(outcome.leaked)} of {len(outcome.gold)} documents were part of the model's training: "
            f"{', '.join(outcome.leaked[:8])}{' …' if len(outcome.leaked) > 8 else ''}. "
            "These scores say nothing about unseen text.",
        )
    report = evaluate(
        [document for document, _, _ in outcome.gold],
        [replace(document, annotation=found) for document, found, _ in outcome.gold],
        [replace(document, annotation=given) for document, _, given in outcome.gold],
        Conditions(
            name=output.name,
            limit=settings.limit,
            notes=notes,
            traces={name: Trace(pairs=asked) for name, asked in outcome.asked.items()},
        ),
    )
    write_report(report, output)


def _manifest(settings: RunSettings, predictor: Predictor, outcome: Outcome, rejected: int) -> dict[str, Any]:
    model, ledger = predictor.model, predictor.ledger
    counts = asdict(ledger)
    seconds = {stage: round(value, 3) for stage, value in counts.pop("seconds").items()}
    return {
        "versions": versions.installed(),
        "model": {"name": settings.model, "sha256": model.digest, "trained_on": len(model.origin.trained_on)},
        "engine": predictor.engine.describe(),
        "input": {"path": settings.input, "sha256": versions.hashes(Path(settings.input))},
        "counts": counts,
        "dropped": {
            "documents_set_aside": rejected,
            "pieces_truncated": ledger.pieces_truncated,
            "characters_without_piece": ledger.characters_without_piece,
            "documents_not_on_the_page": outcome.left_off_page,
        },
        "trained_on": outcome.leaked,
        "seconds": seconds,
    }


def main() -> None:
    """The command line."""
    restart_without_thread_caches(COMMANDS)
    from hydra.core.config_store import ConfigStore

    for name, engine in ENGINES.items():
        ConfigStore.instance().store(group="engine", name=f"{name}_schema", node=engine)
    application("run", RunSettings, task, largest=_LARGEST)


if __name__ == "__main__":
    main()
