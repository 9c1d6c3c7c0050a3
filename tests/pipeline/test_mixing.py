"""Corpora beside the main one: how often they are seen, and that nothing of them reaches our heads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from annotations.document import Annotation, Document, Mention, text_sha256
from annotations.formats.wikiwars import parse_wikiwars
from annotations.schemes import LABELS, NESTED, OWN
from pipeline import checkpoint, library
from pipeline.checkpoint import Model, Origin
from pipeline.config import InputError
from pipeline.corpora import Corpus, CorpusSettings
from pipeline.decoding import Thresholds
from pipeline.examples import Example, read_examples
from pipeline.fitting import development_score
from pipeline.losses import JointLoss, by_scheme
from pipeline.mixing import Beside, Stream, batches, drawn, excerpts, read_beside
from pipeline.model import Reader
from pipeline.training import Epoch, Run, train
from tests.pipeline import tiny
from tests.pipeline.test_training import SETTINGS, KilledError, start

SENTENCE = "Der Rigaer Kreml traf Jonas Vaitkus"
GERMEVAL = Annotation((Mention(4, 16, "ORG"), Mention(4, 10, "LOCderiv"), Mention(22, 35, "PER")))


def sentences(count: int, scheme: str = "germeval") -> tuple[Document, ...]:
    gold = GERMEVAL if scheme == "germeval" else Annotation((Mention(4, 10, LABELS[scheme][0]),))
    return tuple(Document(f"s{n}", SENTENCE + " Moskau" * n, annotation=gold) for n in range(count))


def mixed(folder: Path, small: Document) -> tuple[Reader, list[Example], list[Stream]]:
    """A reader that learns two foreign schemes, five documents of ours, and a stream of each scheme."""
    reader, examples = start(folder, small)
    _, tokenizer, _ = library.load_encoder(str(folder), tiny.SETTINGS)
    torch.manual_seed(12)
    reader.learn_schemes(["germeval", "timex"])
    corpora = (
        Beside("sentences", "germeval", 1.5, sentences(7)),
        Beside("times", "timex", 0.5, sentences(2, "timex")),
    )
    return reader, examples, [corpus.stream(tokenizer, 1, 0.5) for corpus in corpora]


def fake(name: str, size: int, share: float) -> Stream:
    blank: Example = object.__new__(Example)
    return Stream(name, (blank,) * size, share, 1.0)


@given(st.integers(1, 9), st.integers(0, 25), st.integers(1, 6))
def test_all_are_seen_before_any_is_seen_twice(size: int, count: int, epochs: int) -> None:
    numbers = np.concatenate([drawn(size, count, epoch, (3, 5)) for epoch in range(1, epochs + 1)])
    assert len(numbers) == count * epochs
    for turn in range(0, len(numbers), size):
        part = numbers[turn : turn + size].tolist()
        assert len(set(part)) == len(part)


@given(st.integers(1, 30), st.integers(1, 5), st.floats(0.05, 4.0), st.integers(1, 9))
def test_each_corpus_is_seen_as_often_as_its_share_says(
    main: int, size: int, share: float, other: int
) -> None:
    streams = [fake("a", other, share), fake("b", 3, 1.0)]
    parts = batches(main, size, streams, 1, 2)
    assert sorted(n for part in parts for n in part[0].tolist()) == list(range(main))
    assert sum(len(part[1]) for part in parts) == round(share * main)
    assert sum(len(part[2]) for part in parts) == main
    lengths = [len(part[1]) for part in parts]
    assert max(lengths) - min(lengths) <= 1


def test_the_order_follows_from_seed_and_epoch() -> None:
    streams = [fake("a", 50, 2.0), fake("b", 50, 2.0)]

    def flat(seed: int, epoch: int) -> list[list[int]]:
        return [part.tolist() for batch in batches(20, 4, streams, seed, epoch) for part in batch]

    assert flat(1, 2) == flat(1, 2)
    assert flat(1, 2) != flat(1, 3)
    assert flat(1, 2) != flat(2, 2)
    alone = [part[0].tolist() for part in batches(20, 4, (), 1, 2)]
    assert flat(1, 2)[::3] == alone  # what stands beside does not move the main corpus
    assert flat(1, 2)[1::3] != flat(1, 2)[2::3]


def test_a_mixed_run_killed_after_every_epoch_ends_as_if_it_had_not_been(
    encoder_folder: Path, small: Document, tmp_path: Path
) -> None:
    whole, examples, streams = mixed(encoder_folder, small)
    own, development = examples[:4], examples[4:]
    history = train(whole, own, development, SETTINGS, 3, tmp_path / "whole", streams=streams)
    assert {"germeval", "timex", "outer", "total"} <= set(history[0].losses)

    def kill(epoch: Epoch) -> None:
        raise KilledError

    for _ in range(SETTINGS.epochs):
        broken, *_ = mixed(encoder_folder, small)
        with pytest.raises(KilledError):
            train(broken, own, development, SETTINGS, 3, tmp_path / "broken", streams=streams, report=kill)
    broken, *_ = mixed(encoder_folder, small)
    again = train(broken, own, development, SETTINGS, 3, tmp_path / "broken", streams=streams)
    assert [epoch.losses for epoch in again] == [epoch.losses for epoch in history]
    first, second = whole.state_dict(), broken.state_dict()
    assert any(name.startswith("foreign.germeval.inner") for name in first)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_mix_is_not_resumed(encoder_folder: Path, small: Document, tmp_path: Path) -> None:
    reader, examples, streams = mixed(encoder_folder, small)

    def kill(epoch: Epoch) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        train(reader, examples, [], SETTINGS, 1, tmp_path / "state", streams=streams, report=kill)
    with pytest.raises(ValueError, match="another mix"):
        train(reader, examples, [], SETTINGS, 1, tmp_path / "state", streams=streams[:1])


def test_batches_hold_the_schemes_in_their_shares(
    encoder_folder: Path, small: Document, tmp_path: Path
) -> None:
    reader, examples, streams = mixed(encoder_folder, small)
    run = Run(reader, examples[:4], [], SETTINGS, 1, tmp_path / "state", streams=streams)
    seen = [Counter(example.scheme for example in batch) for batch in run._batches(1)]
    assert sum(seen, Counter()) == {OWN: 4, "germeval": 6, "timex": 2}
    assert all(batch[OWN] == 2 and batch["germeval"] == 3 for batch in seen)


def gradients(module: JointLoss, examples: list[Example]) -> set[str]:
    """Which parameters a batch moves, by the name of the part that they are in."""
    module.zero_grad(set_to_none=True)
    module(examples)["total"].backward()
    moved = [n for n, p in module.reader.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    return {".".join(name.split(".")[: 2 if name.startswith("foreign") else 1]) for name in moved}


def test_no_foreign_label_reaches_our_heads_and_none_of_ours_theirs(
    encoder_folder: Path, small: Document
) -> None:
    reader, examples, (sentence, time) = mixed(encoder_folder, small)
    module = JointLoss(reader, SETTINGS.weights).eval()
    assert gradients(module, list(sentence.examples)) == {"encoder", "foreign.germeval"}
    assert gradients(module, list(time.examples)) == {"encoder", "foreign.timex"}
    assert gradients(module, examples) == {"encoder", "outer", "inner", "lexical", "relations"}


def test_the_loss_of_ours_does_not_hang_on_what_is_beside(encoder_folder: Path, small: Document) -> None:
    reader, examples, (sentence, time) = mixed(encoder_folder, small)
    module = JointLoss(reader, SETTINGS.weights, schemes={"germeval": 0.5, "timex": 0.25}).eval()
    alone = module(examples)
    together = module([*examples, *sentence.examples, *time.examples])
    for name in ("outer", "inner", "relation", "modality", "pointer"):
        assert torch.equal(alone[name], together[name])
    expected = alone["total"] + 0.5 * together["germeval"] + 0.25 * together["timex"]
    assert torch.allclose(together["total"], expected)


def test_a_checkpoint_forgets_the_other_schemes(
    encoder_folder: Path, small: Document, tmp_path: Path
) -> None:
    reader, *_ = mixed(encoder_folder, small)
    _, tokenizer, hugging = library.load_encoder(str(encoder_folder), tiny.SETTINGS)
    checkpoint.save(Model(reader, tokenizer, Thresholds(), Origin(), ""), hugging, tmp_path)
    assert not checkpoint.load(tmp_path).reader.foreign
    assert b"foreign" not in (tmp_path / "heads.safetensors").read_bytes()


def test_another_scheme_can_be_learned_by_heart(encoder_folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(11)
    reader, tokenizer, _ = library.load_encoder(str(encoder_folder), tiny.SETTINGS)
    reader.learn_schemes(["germeval"])
    examples = read_examples(sentences(2), tokenizer, 1, "germeval")
    train(reader, examples, examples, replace(SETTINGS, epochs=40), 1, tmp_path / "state")
    assert development_score(reader, examples) == (1.0, 0.0)


def test_the_words_of_a_tokenised_corpus_are_its_tokens() -> None:
    document = Document("a", "Die EU-Gipfel 3.5 .", annotation=Annotation((Mention(4, 13, "ORGpart"),)))
    (example,) = read_examples([document], tiny.character_tokenizer(), 1, "germeval")
    assert len(example.outer) == 4
    assert example.unaligned == 0
    assert example.outer[1] == 1 + 2 * LABELS["germeval"].index("ORGpart")
    assert not len(example.pairs)
    assert by_scheme([example]) == {"germeval": [example]}


def test_the_inner_layer_is_learned_where_the_scheme_has_one() -> None:
    nested = Annotation((Mention(0, 10, "location"), Mention(4, 10, "location-city")))
    document = Document("a", "Die Rigaer Straße", annotation=nested)
    (example,) = read_examples([document], tiny.character_tokenizer(), 1, "smartdata")
    assert "smartdata" not in NESTED
    assert not example.inner.any()
    assert example.unaligned == 1


ARTICLE = "\n\n".join(f"Absatz {n} endet am <TIMEX2>{n}. Mai\n\n{n}</TIMEX2>." for n in range(40))


def test_long_documents_are_seen_in_parts_that_lose_nothing() -> None:
    source = f"<DOC><DOCID>a</DOCID><TEXT>\n{ARTICLE}\n</TEXT></DOC>"
    (document,) = parse_wikiwars(source, "f").checked()
    parts = excerpts(document, 120)
    assert "".join(part.text for part in parts) == document.text
    assert max(len(part.text) for part in parts) <= 120
    assert len({part.id for part in parts}) == len(parts) > 5
    found = [part.surface(m) for part in parts if part.annotation for m in part.annotation.mentions]
    assert found == [f"{n}. Mai\n\n{n}" for n in range(40)]
    assert excerpts(document, len(document.text)) == [document]


def test_what_is_tested_is_not_learned() -> None:
    first, second, third = sentences(3)
    corpus = Corpus((first, second), (third,), (replace(second, id="again"),)).without_leaks()
    assert corpus.train == (first,)
    assert corpus.development == (third,)
    beside = Beside("a", "germeval", 1.0, (first, second)).without({text_sha256(first.text)})
    assert beside.documents == (second,)


def germeval(folder: Path) -> CorpusSettings:
    (folder / "a.tsv").write_text("1\tUlm\tB-LOC\tO\n\n1\tEva\tB-PER\tO\n", "utf-8")
    (folder / "b.tsv").write_text("1\tUlm\tB-LOC\tO\n", "utf-8")
    return CorpusSettings(str(folder), ["a.tsv"], test=["b.tsv"], format="germeval", scheme="germeval")


def test_a_corpus_is_read_in_its_format_and_scheme(tmp_path: Path) -> None:
    (beside,) = read_beside({"names": germeval(tmp_path)}, {"names": 2.0})
    assert (beside.scheme, beside.share) == ("germeval", 2.0)
    assert [document.text for document in beside.documents] == ["Eva"]


@pytest.mark.parametrize(
    ("changes", "mix", "what"),
    [
        ({}, {}, "mix names none"),
        ({}, {"names": 1.0, "more": 1.0}, "to be seen beside the main one are names"),
        ({}, {"names": 0.0}, "mix.names=0.0: expected more than 0"),
        ({"format": "tsv"}, {"names": 1.0}, "format=tsv: expected one of germeval"),
        ({"scheme": "conll"}, {"names": 1.0}, "scheme=conll: expected one of depesche"),
        ({"scheme": "timex"}, {"names": 1.0}, "'LOC' is no label of the scheme timex"),
        ({"train": ["c.tsv"]}, {"names": 1.0}, "labelled=DIR"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_refused(
    changes: dict[str, object], mix: dict[str, float], what: str, tmp_path: Path
) -> None:
    settings = replace(germeval(tmp_path), **changes)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=what):
        read_beside({"names": settings}, mix)
