"""The gold that ships: sound, split by document, and complete where its texts are at hand."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from annotations import scheme
from annotations.check import check_paths
from annotations.corpus import read_corpus, read_texts
from annotations.document import Document

GOLD = Path(__file__).resolve().parent.parent.parent / "annotations" / "gold"
SPLITS = ("train", "development", "test")
# States whose conflicts the test dispatches are about.
UNSEEN = re.compile(
    r"\b(?:Indien|Pakistan|Kaschmir|Äthiopien|Eritrea|Kolumbien|Zypern|Griechenland|Argentinien|Falkland\w*"
    r"|Sri Lanka|Thailand|Kambodscha|Marokko|Westsahara|Algerien)s?\b"
)


@pytest.fixture(scope="module")
def dispatches() -> dict[str, tuple[Document, ...]]:
    return {split: read_corpus(GOLD / "dispatches" / f"{split}.jsonl", {}) for split in SPLITS}


def sentences(document: Document) -> set[str]:
    parts = re.split(r"(?<=[.!?])\s+|\n+", document.text)
    return {" ".join(part.split()) for part in parts if len(part) > 25}


def test_the_dispatches_keep_the_scheme() -> None:
    problems = [p for p in check_paths([GOLD / "dispatches"], {}) if not p.hint]
    assert not problems, "\n".join(map(str, problems))


def test_the_articles_keep_the_scheme(articles: Path) -> None:
    problems = check_paths([GOLD / "articles", GOLD / "articles" / "passes"], read_texts(articles))
    # Both passes and the adjudicated version speak of the same five texts, under the same names.
    real = [p for p in problems if not p.hint and "stands already" not in p.what]
    assert not real, "\n".join(map(str, real))


def test_each_article_is_annotated_completely(articles: Path) -> None:
    documents = read_corpus(GOLD / "articles" / "articles.jsonl", read_texts(articles))
    assert len(documents) == 5
    for document in documents:
        assert document.annotation is not None
        outer, _ = document.annotation.layers()
        assert len(outer) >= 55
        assert len(document.annotation.relations) >= 45


def test_the_articles_texts_are_not_here() -> None:
    for file in (GOLD / "articles").rglob("*.jsonl"):
        for line in file.read_text("utf-8").splitlines():
            record = json.loads(line)
            assert "text" not in record
            assert all(entity["surface"] for entity in record["entities"])


def test_no_dispatch_repeats_a_sentence_of_another(dispatches: dict[str, tuple[Document, ...]]) -> None:
    seen: dict[str, str] = {}
    for document in (d for part in dispatches.values() for d in part):
        for sentence in sentences(document):
            assert sentence not in seen, f"{document.id} and {seen.get(sentence)}: {sentence}"
            seen[sentence] = document.id


def test_no_dispatch_repeats_a_sentence_of_an_article(
    dispatches: dict[str, tuple[Document, ...]], articles: Path
) -> None:
    theirs = {s for text in read_texts(articles).values() for s in sentences(Document("a", text))}
    ours = {s for part in dispatches.values() for d in part for s in sentences(d)}
    assert not theirs & ours


def test_the_split_is_by_document_and_test_conflicts_are_unseen(
    dispatches: dict[str, tuple[Document, ...]],
) -> None:
    ids = Counter(document.id for part in dispatches.values() for document in part)
    assert max(ids.values()) == 1
    assert len(dispatches["test"]) >= 10
    assert sum(ids.values()) >= 40
    for split in ("train", "development"):
        named = {d.id: UNSEEN.findall(d.text) for d in dispatches[split] if UNSEEN.search(d.text)}
        assert not named


def test_every_label_and_modality_is_there_to_learn_from(
    dispatches: dict[str, tuple[Document, ...]],
) -> None:
    train = [d.annotation for d in dispatches["train"] if d.annotation is not None]
    labels = Counter(m.label for annotation in train for m in annotation.mentions)
    relations = Counter(r.label for annotation in train for r in annotation.relations)
    modalities = Counter(r.modality for a in train for r in a.relations if r.label in scheme.ACTOR_RELATIONS)
    assert min(labels[label] for label in scheme.ENTITY_LABELS) >= 50
    assert min(relations[label] for label in scheme.RELATION_LABELS) >= 80
    assert min(modalities[modality] for modality in scheme.MODALITIES) >= 150
