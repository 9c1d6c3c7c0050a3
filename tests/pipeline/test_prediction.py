"""The same answer whatever shares the batch; exact offsets whatever the text."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from annotations import scheme
from annotations.check import check_document
from annotations.document import Annotation, Document, Mention
from annotations.formats.reading import Place
from pipeline.checkpoint import Model
from pipeline.decoding import Thresholds
from pipeline.engines.base import Engine
from pipeline.engines.settings import BatchedSettings, ReferenceSettings
from pipeline.prediction import Failed, Predicted, Predictor
from tests.generated import TEXTS
from tests.pipeline.tiny import SENTENCE, alike

WORDS = SENTENCE.split()


def texts(count: int) -> list[Document]:
    """Texts of many lengths, whose words do not recur in turn: no two mentions are read alike."""
    random = np.random.default_rng(6)
    lengths = [n * 9 % 60 + 1 for n in range(count)]
    return [Document(f"d{n}", " ".join(random.choice(WORDS, size)) + ".") for n, size in enumerate(lengths)]


def read(model: Model, documents: list[Document], engine: Engine, chunk: int = 65536) -> list[Predicted]:
    results = list(Predictor(model, engine, chunk).read(documents))
    assert all(isinstance(result, Predicted) for result in results)
    return [result for result in results if isinstance(result, Predicted)]


@pytest.mark.parametrize("pieces", [1, 60, 700, 10_000])
@pytest.mark.parametrize(("chunk", "workers"), [(1, 2), (40, 1), (40, 2), (40, 3), (65536, 2)])
def test_batches_chunks_neighbours_and_workers_change_nothing(
    model: Model, pieces: int, chunk: int, workers: int
) -> None:
    documents = texts(24)
    slow = read(model, documents, ReferenceSettings().build(copy.deepcopy(model.reader)))
    assert sum(len(result.annotation.relations) for result in slow) > 20
    fast = BatchedSettings(pieces=pieces, workers=workers).build(copy.deepcopy(model.reader))
    shuffled = documents[::-1]
    by_id = {r.document.id: r.annotation for r in read(model, shuffled, fast, chunk)}
    for result in slow:
        alike(result.annotation, by_id[result.document.id])


def test_threads_change_nothing(model: Model) -> None:
    documents = texts(12)
    engine = BatchedSettings().build(copy.deepcopy(model.reader))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = read(model, documents, engine)
        torch.set_num_threads(2)
        two = read(model, documents, engine)
    finally:
        torch.set_num_threads(before)
    for a, b in zip(one, two, strict=True):
        alike(a.annotation, b.annotation)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120)
@given(TEXTS)
def test_offsets_are_exact_and_the_scheme_is_kept_on_any_text(model: Model, text: str) -> None:
    engine = BatchedSettings().build(model.reader)
    (result,) = read(model, [Document("d", text)], engine)
    document = replace(result.document, annotation=result.annotation)
    wrong = [p.what for p in check_document(document, Place("f", 1)) if not p.hint]
    # Quotation marks are the model's to learn; everything else holds by construction.
    assert not [what for what in wrong if "quotation marks" not in what]


def test_gold_mentions_get_relations_of_their_own(model: Model, small: Document) -> None:
    (result,) = read(model, [small], BatchedSettings().build(model.reader))
    assert result.given is not None
    assert small.annotation is not None
    assert result.given.mentions == tuple(sorted(small.annotation.mentions))
    for relation in result.given.relations:
        assert scheme.allowed(relation.label, relation.head, relation.tail)


def test_thresholds_decide(model: Model, small: Document) -> None:
    engine = BatchedSettings().build(model.reader)
    none = replace(model, thresholds=Thresholds(static=1.1, actors=1.1))
    (result,) = read(none, [small], engine)
    assert not result.annotation.relations
    only_static = replace(model, thresholds=Thresholds(static=0.0, actors=1.1))
    (result,) = read(only_static, [small], engine)
    assert result.annotation.relations
    assert {r.label for r in result.annotation.relations} <= set(scheme.STATIC_RELATIONS)
    assert all(scheme.allowed(r.label, r.head, r.tail) for r in result.annotation.relations)


@dataclass
class Broken:
    """An engine whose scores are no numbers for windows of one length."""

    engine: Engine
    length: int
    workers: int = 1
    chunk: int = 8192

    def encode(self, windows: list) -> list[torch.Tensor]:  # type: ignore[type-arg]
        vectors = self.engine.encode(windows)
        return [v * float("nan") if len(v) == self.length else v for v in vectors]

    def describe(self) -> dict[str, object]:
        return {}


def test_a_document_with_scores_that_are_no_numbers_is_set_aside_alone(model: Model) -> None:
    documents = [*texts(6), Document("bad", "Moskau Laut Riga")]
    broken = Broken(BatchedSettings().build(copy.deepcopy(model.reader)), 3)
    results = list(Predictor(model, broken).read(documents))
    assert [r.document.id for r in results] == [d.id for d in documents]
    assert [r.document.id for r in results if isinstance(r, Failed)] == ["bad"]
    whole = read(model, documents[:6], broken.engine)
    for good, alone in zip(results[:6], whole, strict=True):
        assert isinstance(good, Predicted)
        alike(good.annotation, alone.annotation)


def test_the_ledger_adds_up(model: Model) -> None:
    documents = texts(9)
    predictor = Predictor(model, BatchedSettings().build(model.reader))
    results = list(predictor.read(documents))
    ledger = predictor.ledger
    assert ledger.documents == 9
    assert ledger.pieces_truncated == 0
    assert ledger.characters == sum(len(document.text) for document in documents)
    assert ledger.mentions == sum(len(r.annotation.mentions) for r in results if isinstance(r, Predicted))
    assert ledger.windows >= 9


def test_gold_without_a_piece_keeps_its_mentions(model: Model) -> None:
    deaf = Tokenizer.from_str(model.tokenizer.to_str())
    deaf.normalizer = normalizers.Replace(Regex("."), "")
    gold = (Mention(0, 6, "GPE"), Mention(12, 16, "GPE"))
    document = Document("d", "Moskau traf Riga", annotation=Annotation(gold))
    (result,) = read(
        replace(model, tokenizer=deaf), [document], BatchedSettings().build(copy.deepcopy(model.reader))
    )
    assert result.annotation == Annotation()
    assert result.given == Annotation(gold)


def test_inner_mentions_do_not_share_a_character(model: Model) -> None:
    # Four pieces of one byte each are one sign: inner mentions of one piece each would be the same.
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bytes_alone = Tokenizer(models.BPE({sign: n for n, sign in enumerate(sorted(alphabet))}, []))
    bytes_alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    reader = copy.deepcopy(model.reader)
    for head, tag in ((reader.outer, 2), (reader.inner, 1)):  # one long PER outside, B-PER at each piece
        torch.nn.init.zeros_(head.score.weight)
        torch.nn.init.zeros_(head.score.bias)
        with torch.no_grad():
            head.score.bias[tag] = 9.0
    certain = replace(model, tokenizer=bytes_alone, reader=reader, thresholds=Thresholds(0.01, 0.01))
    (result,) = read(certain, [Document("d", "Riga \U0001f600x")], ReferenceSettings().build(reader))
    document = replace(result.document, annotation=result.annotation)
    assert len(result.annotation.mentions) == 7
    assert not [p.what for p in check_document(document, Place("f", 1)) if not p.hint]


def test_a_document_that_fails_beside_other_workers_is_set_aside_alone(model: Model) -> None:
    documents = [Document(str(n), " ".join(["Riga"] * (n % 9 + 4))) for n in range(60)]
    documents[31] = Document("bad", "Moskau Laut Riga")
    engine = Broken(BatchedSettings(workers=2).build(copy.deepcopy(model.reader)), 3, workers=2)
    predictor = Predictor(model, engine, chunk=20)
    results = list(predictor.read(documents))
    assert [result.document for result in results] == documents
    assert [n for n, result in enumerate(results) if isinstance(result, Failed)] == [31]
    assert predictor.ledger.documents == 59


def test_a_reading_that_is_broken_off_leaves_no_thread_and_all_threads_of_torch(model: Model) -> None:
    before = torch.get_num_threads()
    engine = BatchedSettings(workers=2).build(copy.deepcopy(model.reader))
    results = Predictor(model, engine, chunk=20).read(texts(40))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert torch.get_num_threads() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]
