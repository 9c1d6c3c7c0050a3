from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from annotations.document import Document
from pipeline.config import InputError
from pipeline.examples import Example, example
from pipeline.fitting import development_score, fit
from pipeline.library import load_encoder
from pipeline.model import Reader
from pipeline.pieces import tokenize
from pipeline.settings import LossWeights, Optimization
from pipeline.training import Epoch, Run, forget, train
from tests.pipeline import tiny

SETTINGS = Optimization(
    epochs=4,
    documents=2,
    encoder_rate=1e-3,
    embedding_rate=1e-3,
    head_rate=1e-2,
    decay=0.01,
    warmup=0.1,
    clip=1.0,
    patience=0,
    hidden=0.1,
    precision="no",
    weights=LossWeights(1.0, 0.5, 1.0, 0.3, 0.3),
)


def start(folder: Path, small: Document) -> tuple[Reader, list[Example]]:
    torch.manual_seed(11)
    reader, tokenizer, _ = load_encoder(str(folder), tiny.SETTINGS)
    documents = [replace(small, id=f"d{n}") for n in range(5)]
    tables = tokenize(documents, tokenizer)
    return reader, [example(d, t, 1) for d, t in zip(documents, tables, strict=True)]


class KilledError(Exception):
    pass


@pytest.mark.parametrize("rate", [1e-3, 0.0])
def test_a_run_killed_after_every_epoch_ends_as_if_it_had_not_been(
    rate: float, encoder_folder: Path, small: Document, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, embedding_rate=rate)
    whole, examples = start(encoder_folder, small)
    history = train(whole, examples[:4], examples[4:], settings, 3, tmp_path / "whole")

    def kill(epoch: Epoch) -> None:
        raise KilledError

    for _ in range(settings.epochs):
        broken, _ = start(encoder_folder, small)
        with pytest.raises(KilledError):
            train(broken, examples[:4], examples[4:], settings, 3, tmp_path / "broken", report=kill)
    broken, _ = start(encoder_folder, small)
    again = train(broken, examples[:4], examples[4:], settings, 3, tmp_path / "broken")
    assert [epoch.losses for epoch in again] == [epoch.losses for epoch in history]
    first, second = whole.state_dict(), broken.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    # Until it is forgotten, a run that is over costs nothing to repeat.
    once_more, _ = start(encoder_folder, small)
    train(once_more, examples[:4], examples[4:], settings, 3, tmp_path / "broken", report=kill)
    assert all(torch.equal(first[name], once_more.state_dict()[name]) for name in first)
    forget(tmp_path / "broken")
    assert not list(tmp_path.glob("broken*"))


@pytest.mark.parametrize(("encoder", "embedding"), [(1e-3, 0.0), (0.0, 1e-3), (1e-3, 1e-3)])
def test_embeddings_move_at_a_rate_of_their_own(
    encoder: float, embedding: float, encoder_folder: Path, small: Document, tmp_path: Path
) -> None:
    reader, examples = start(encoder_folder, small)
    before = {name: weight.clone() for name, weight in reader.encoder.state_dict().items()}
    settings = replace(SETTINGS, epochs=1, encoder_rate=encoder, embedding_rate=embedding)
    train(reader, examples, [], settings, 1, tmp_path / "state")
    moved = {n for n, weight in reader.encoder.state_dict().items() if not torch.equal(weight, before[n])}
    embeddings = {name for name in before if "tok_embeddings" in name or "word_embeddings" in name}
    assert embeddings
    assert bool(moved & embeddings) == bool(embedding)
    assert bool(moved - embeddings) == bool(encoder)


def test_a_document_can_be_learned_by_heart(encoder_folder: Path, small: Document, tmp_path: Path) -> None:
    reader, examples = start(encoder_folder, small)
    settings = replace(SETTINGS, epochs=60, encoder_rate=5e-3, embedding_rate=5e-3)
    train(reader, examples[:2], examples[:1], settings, 1, tmp_path / "state")
    mentions, relations = development_score(reader, examples[:1])
    assert mentions > 0.9
    assert relations > 0.9
    thresholds = fit(reader, examples[:1])
    assert 0.0 < thresholds.static < 1.0
    assert 0.1 < thresholds.temperature < 10.0


def test_the_best_epoch_is_kept_and_waiting_ends(
    encoder_folder: Path, small: Document, tmp_path: Path
) -> None:
    reader, examples = start(encoder_folder, small)
    settings = replace(SETTINGS, epochs=50, encoder_rate=0.0, embedding_rate=0.0, head_rate=0.0, patience=2)
    history = train(reader, examples[:4], examples[4:], settings, 1, tmp_path / "state")
    assert len(history) == 3  # nothing moves: the first is the best, and two more are waited for


def test_another_seeds_state_is_refused(encoder_folder: Path, small: Document, tmp_path: Path) -> None:
    reader, examples = start(encoder_folder, small)

    def kill(epoch: Epoch) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        train(reader, examples, [], SETTINGS, 1, tmp_path / "state", report=kill)
    with pytest.raises(ValueError, match="belongs to seed 1, not 2"):
        train(reader, examples, [], SETTINGS, 2, tmp_path / "state")


def test_only_annotated_documents_can_be_learned_from(small: Document) -> None:
    (table,) = tokenize([small], tiny.character_tokenizer())
    with pytest.raises(ValueError, match="has no annotation"):
        example(replace(small, annotation=None), table, 1)


def test_gold_that_cannot_be_asked_for_is_counted(small: Document) -> None:
    (table,) = tokenize([small], tiny.character_tokenizer())
    near, wide = example(small, table, 0), example(small, table, 3)
    assert small.annotation is not None
    assert wide.unasked == 0
    assert near.unasked > 0
    for found in (near, wide):
        assert len(found.gold.pair) + found.unasked == len(small.annotation.relations)
    assert wide.unaligned == 0


def test_a_run_killed_while_it_saves_goes_on(
    encoder_folder: Path, small: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    reader, examples = start(encoder_folder, small)
    run = Run(reader, examples[:4], [], SETTINGS, 3, state)
    run.epoch()

    def killed(folder: Path, **_: object) -> None:
        if (folder / "state.json").is_file():
            (folder / "state.json").unlink()
            raise KilledError

    monkeypatch.setattr("pipeline.training.shutil.rmtree", killed)
    with pytest.raises(KilledError):
        run.epoch()
    monkeypatch.undo()
    again = Run(start(encoder_folder, small)[0], examples[:4], [], SETTINGS, 3, state)
    again.resume()
    assert again.progress.epoch == 2


def test_a_state_of_other_settings_is_refused(encoder_folder: Path, small: Document, tmp_path: Path) -> None:
    state = tmp_path / "state"
    reader, examples = start(encoder_folder, small)
    Run(reader, examples[:4], [], SETTINGS, 3, state).epoch()
    other = replace(SETTINGS, head_rate=1e-4)
    with pytest.raises(InputError, match=r"head_rate.*another output"):
        Run(reader, examples[:4], [], other, 3, state).resume()
    with pytest.raises(InputError, match="other documents"):
        Run(reader, examples[:3], [], SETTINGS, 3, state).resume()
