"""The embedded model on real dispatches: the same answer whatever the batch and the machine."""

from __future__ import annotations

import copy
import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from annotations.corpus import read_corpus
from annotations.document import Annotation, Document
from eval.counts import Counts
from pipeline import checkpoint, decoding, relating, windows
from pipeline.checkpoint import Model
from pipeline.engines.base import Engine, WindowError, Windows
from pipeline.engines.settings import BatchedSettings, EngineSettings, OpenVinoSettings, ReferenceSettings
from pipeline.model import Reader
from pipeline.pieces import tokenize
from pipeline.prediction import Failed, Predicted, Predictor
from tests.pipeline.tiny import alike

DISPATCHES = Path(__file__).resolve().parents[2] / "annotations" / "gold" / "dispatches" / "test.jsonl"


@pytest.fixture(scope="module")
def embedded() -> Model:
    return checkpoint.load(checkpoint.find("embedded"))


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return list(read_corpus(DISPATCHES, {}))


def read(model: Model, engine: EngineSettings, documents: list[Document]) -> dict[str, Annotation]:
    plain = [replace(document, annotation=None) for document in documents]
    results = list(Predictor(model, engine.build(copy.deepcopy(model.reader))).read(plain))
    found = [result for result in results if isinstance(result, Predicted)]
    assert [result.document.id for result in found] == [document.id for document in documents]
    return {result.document.id: result.annotation for result in found}


@pytest.fixture(scope="module")
def slow(embedded: Model, documents: list[Document]) -> dict[str, Annotation]:
    return read(embedded, ReferenceSettings(), documents)


@pytest.mark.parametrize("rows", [1, 2, 7, 64])
def test_batches_orders_and_neighbours(
    embedded: Model, documents: list[Document], slow: dict[str, Annotation], rows: int
) -> None:
    random = np.random.default_rng(rows)
    some = [documents[number] for number in random.permutation(len(documents))][: 10 * rows]
    pieces = rows * (embedded.reader.settings.window + 2)
    found = read(embedded, BatchedSettings(pieces=pieces), some)
    for name, annotation in found.items():
        alike(annotation, slow[name])


def test_one_thread_or_two(embedded: Model, documents: list[Document], slow: dict[str, Annotation]) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        found = read(embedded, BatchedSettings(), documents[:12])
    finally:
        torch.set_num_threads(before)
    for name, annotation in found.items():
        alike(annotation, slow[name])


def tags(model: Model, engine: Engine, documents: list[Document]) -> np.ndarray:
    tables = tokenize(documents, model.tokenizer)
    lengths = [len(table) for table in tables]
    cuts = windows.cut_all(lengths, model.reader.settings.window, model.reader.settings.overlap)
    vectors = engine.encode(windows.slices(cuts, [table.ids for table in tables]))
    stitched = windows.stitch(cuts, vectors, model.reader.width)
    with torch.inference_mode():
        scores = decoding.word_scores(model.reader.outer, stitched, tables)
    found: np.ndarray = scores.argmax(dim=1).numpy()
    return found


def mention_f1(found: dict[str, Annotation], documents: list[Document]) -> float:
    counts = Counts()
    for document in documents:
        gold = set(document.annotation.mentions) if document.annotation else set()
        got = set(found[document.id].mentions)
        counts = counts + Counts(len(gold & got), len(got - gold), len(gold - got))
    return counts.f1


def test_bfloat16_changes_a_tag_in_a_thousand_at_most(
    embedded: Model, documents: list[Document], slow: dict[str, Annotation]
) -> None:
    first = tags(embedded, ReferenceSettings().build(copy.deepcopy(embedded.reader)), documents)
    halved = BatchedSettings(dtype="bfloat16")
    second = tags(embedded, halved.build(copy.deepcopy(embedded.reader)), documents)
    assert (first != second).mean() <= 0.001
    difference = mention_f1(read(embedded, halved, documents), documents) - mention_f1(slow, documents)
    assert abs(difference) <= 0.001


def test_bfloat16_finds_the_same_relations_on_gold_mentions(
    embedded: Model, documents: list[Document]
) -> None:
    f1, found = [], []
    for engine in (ReferenceSettings(), BatchedSettings(dtype="bfloat16")):
        predictor = Predictor(embedded, engine.build(copy.deepcopy(embedded.reader)))
        results = [result for result in predictor.read(documents) if isinstance(result, Predicted)]
        counts = Counts()
        for document, result in zip(documents, results, strict=True):
            assert document.annotation is not None
            assert result.given is not None
            gold, got = set(document.annotation.relations), set(result.given.relations)
            counts = counts + Counts(len(gold & got), len(got - gold), len(gold - got))
        f1.append(counts.f1)
        found.append([set(result.given.relations) for result in results if result.given])
    assert abs(f1[0] - f1[1]) <= 0.001
    differing = sum(len(one ^ other) for one, other in zip(*found, strict=True))
    assert differing <= 0.01 * sum(map(len, found[0]))


def test_openvino_answers_as_the_slow_one(
    embedded: Model, documents: list[Document], slow: dict[str, Annotation]
) -> None:
    pytest.importorskip("openvino")
    for name, annotation in read(embedded, OpenVinoSettings(), documents).items():
        alike(annotation, slow[name])


class Spoiled:
    """An engine that puts something that is no number at one place of one window's vectors."""

    workers = 1
    chunk = 8192

    def __init__(self, vectors: list[torch.Tensor], window: int, place: tuple[int, int], what: float) -> None:
        self.vectors, self.window, self.place, self.what = vectors, window, place, what

    def encode(self, windows: Windows) -> list[torch.Tensor]:
        found = [self.vectors[int(window[0])] for window in windows]
        return [
            spoiled(v, self.place, self.what) if int(w[0]) == self.window else v
            for v, w in zip(found, windows, strict=True)
        ]

    def describe(self) -> dict[str, object]:
        return {}


def spoiled(vectors: torch.Tensor, place: tuple[int, int], what: float) -> torch.Tensor:
    vectors = vectors.clone()
    vectors[place] = what
    return vectors


def test_what_is_no_number_is_caught_wherever_it_stands(model: Model) -> None:
    words = ["Riga", "Moskau", "Kreml"]
    documents = [Document(word, f"{word} traf Laut am Montag in Riga") for word in words]
    tables = tokenize(documents, model.tokenizer)
    vectors = ReferenceSettings().build(copy.deepcopy(model.reader)).encode([table.ids for table in tables])
    known = {int(table.ids[0]): v for table, v in zip(tables, vectors, strict=True)}
    largest = max(known)
    by_first = [known.get(number, torch.zeros(0)) for number in range(largest + 1)]
    random = np.random.default_rng(5)
    for number in range(1000):
        bad = number % 3
        place = (int(random.integers(len(vectors[bad]))), int(random.integers(model.reader.width)))
        what = (float("nan"), float("inf"), -float("inf"))[number // 3 % 3]
        engine = Spoiled(by_first, int(tables[bad].ids[0]), place, what)
        results = list(Predictor(model, engine).read(documents))
        assert [isinstance(result, Failed) for result in results] == [n == bad for n in range(3)]


def test_memory_that_ends_after_the_encoder_is_the_fault_of_one_document(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = relating.decode_relations

    def scarce(reader: Reader, vectors: torch.Tensor, tables: list, *rest: object) -> object:  # type: ignore[type-arg]
        if any(len(table) == 9 for table in tables):
            torch.empty(1 << 52)
        return decode(reader, vectors, tables, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(relating, "decode_relations", scarce)
    documents = [Document(str(n), " ".join(["Riga"] * n)) for n in (3, 9, 4)]
    results = list(Predictor(model, BatchedSettings().build(copy.deepcopy(model.reader))).read(documents))
    assert [isinstance(result, Failed) for result in results] == [False, True, False]


def test_the_tensors_of_a_failed_chunk_are_gone_before_the_next_try(model: Model) -> None:
    kept: list[weakref.ref[torch.Tensor]] = []

    class Once:
        """Fails over more than one window, and keeps an eye on what it gave out."""

        workers = 1
        chunk = 8192

        def encode(self, windows: Windows) -> list[torch.Tensor]:
            gc.collect()
            assert not [one for one in kept if one() is not None]
            vectors = [torch.zeros(len(window), model.reader.width) for window in windows]
            if len(windows) > 1:
                vectors[0][0, 0] = float("nan")
                kept.append(weakref.ref(vectors[0]))
            return vectors

        def describe(self) -> dict[str, object]:
            return {}

    documents = [Document(str(n), " ".join(["Riga"] * n)) for n in (3, 9, 4)]
    assert len(list(Predictor(model, Once()).read(documents))) == 3
    assert kept


def test_text_without_a_utf8_form_is_set_aside_alone(model: Model) -> None:
    documents = [Document("a", "Riga"), Document("b", "x \ud800 y"), Document("c", "Moskau")]
    results = list(Predictor(model, BatchedSettings().build(copy.deepcopy(model.reader))).read(documents))
    assert [isinstance(result, Failed) for result in results] == [False, True, False]


class Full:
    """An engine without room for the longest window."""

    workers = 2
    chunk = 8192

    def __init__(self, engine: Engine, longest: int) -> None:
        self.engine, self.longest = engine, longest

    def encode(self, windows: Windows) -> list[torch.Tensor]:
        if any(len(window) >= self.longest for window in windows):
            raise WindowError("no memory")
        return self.engine.encode(windows)

    def describe(self) -> dict[str, object]:
        return {}


def test_a_document_that_does_not_fit_alone_is_set_aside(model: Model) -> None:
    documents = [Document(str(n), " ".join(["Riga"] * n)) for n in (3, 9, 4)]
    engine = Full(BatchedSettings().build(copy.deepcopy(model.reader)), 9)
    results = list(Predictor(model, engine).read(documents))
    assert [isinstance(result, Failed) for result in results] == [False, True, False]
    assert [result.document.id for result in results] == ["3", "9", "4"]
