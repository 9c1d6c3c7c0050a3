"""Relations scored in bulk, against a slow twin that looks at one pair and one piece at a time."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from annotations import scheme
from annotations.document import Annotation, Document, Mention
from pipeline import assemble, pairs, relating
from pipeline.checkpoint import Model
from pipeline.decoding import Thresholds
from pipeline.heads import CONTEXT_HEADS
from pipeline.model import Reader
from pipeline.pieces import PieceTable, tokenize
from tests.pipeline.tiny import SENTENCE

WORDS = SENTENCE.split()


def documents() -> list[Document]:
    """Sentences with mentions at random words, some of them one inside another."""
    random = np.random.default_rng(11)
    found = []
    for number in range(7):
        words = [str(random.choice(WORDS)) for _ in range(6 + 9 * (number % 3))]
        words = [word + "." if place % 7 == 6 else word for place, word in enumerate(words)]
        text = " ".join(words)
        starts = np.cumsum([0, *(len(word) + 1 for word in words)])
        labels = random.choice(scheme.ENTITY_LABELS, len(words))
        mentions = [
            Mention(int(starts[w]), int(starts[w]) + len(words[w].rstrip(".")), str(labels[w]))
            for w in range(0, len(words), 2)
        ]
        # One mention that ends later than another one that begins before it.
        mentions.append(Mention(0, int(starts[3]) - 1, "ORG"))
        found.append(Document(f"d{number}", text, annotation=Annotation(tuple(sorted(set(mentions))))))
    return found


def mean(reader: Reader, table: torch.Tensor, kind: int, first: int, last: int) -> torch.Tensor:
    """What the stretch says: a weighted mean, piece by piece."""
    head = reader.relations
    total = torch.zeros(CONTEXT_HEADS, head.context.out_features // 3 // CONTEXT_HEADS)
    weight = torch.zeros(CONTEXT_HEADS, 1)
    for piece in range(first, last):
        values = head.context(table[piece]).view(3, CONTEXT_HEADS, -1)[kind]
        by = head.weight(table[piece]).clamp(-8, 8).exp().view(3, CONTEXT_HEADS, 1)[kind]
        total, weight = total + values * by, weight + by
    return (total / weight.clamp(min=1e-6)).flatten()


def slow_scores(
    reader: Reader, table: torch.Tensor, pieces: PieceTable, mentions: tuple[Mention, ...]
) -> dict[tuple[int, int], torch.Tensor]:
    head, found = reader.relations, {}
    spans = [pieces.pieces_of(m.start, m.end) for m in mentions]
    borders = [int(np.searchsorted(pieces.starts, border)) for border in pieces.sentence_borders]
    sentence = [int(pieces.sentence_of(m.start)) for m in mentions]
    vectors = [
        table[first:last].mean(dim=0) + head.label.weight[pairs.LABEL_NUMBER[m.label]]
        for m, (first, last) in zip(mentions, spans, strict=True)
    ]
    gaps = [0, 1, 2, 3, 5, 8, 12, 18, 26, 40]
    for h, (h_first, h_last) in enumerate(spans):
        for t, (t_first, t_last) in enumerate(spans):
            if h == t or abs(sentence[h] - sentence[t]) > reader.settings.reach:
                continue
            early, late = min(h, t), max(h, t)
            later = late if spans[late][1] >= spans[early][1] else early
            distance = max(t_first - h_last, h_first - t_last, 0)
            gap = sum(distance >= border for border in gaps) + (len(gaps) + 1) * (h > t)
            inside_tail = t_first <= h_first and h_last <= t_last
            inside_head = h_first <= t_first and t_last <= h_last and not inside_tail
            begin = min(spans[early][1], spans[late][0])
            mixed = head.head(vectors[h]) + head.tail(vectors[t])
            mixed = mixed + mean(reader, table, 0, borders[sentence[early]], spans[early][0])
            mixed = mixed + mean(reader, table, 1, begin, max(spans[late][0], begin))
            mixed = mixed + mean(reader, table, 2, spans[later][1], borders[sentence[later] + 1])
            mixed = mixed + head.gap.weight[gap] + head.nesting.weight[inside_tail + 2 * inside_head]
            mixed = mixed + head.crowd.weight[min(max(late - early - 1, 0), 4)]
            hidden = functional.gelu(head.norm(mixed))
            hidden = hidden + functional.gelu(head.mix(hidden))
            found[h, t] = head.relation(hidden)
    return found


@torch.no_grad()
def test_every_pair_scores_as_it_would_alone(model: Model) -> None:
    reader, told = model.reader, documents()
    tables = tokenize(told, model.tokenizer)
    torch.manual_seed(3)
    vectors = torch.randn(sum(map(len, tables)), reader.width)
    ids = relating.piece_ids(tables)
    deep = reader.beside_words(vectors, ids)
    golds = [document.annotation.mentions if document.annotation else () for document in told]
    lengths = [len(table) for table in tables]
    joined = assemble.join_mentions(
        [pairs.mention_table(gold, table) for gold, table in zip(golds, tables, strict=True)], lengths
    )
    inputs = assemble.mention_inputs(joined)
    mentions = reader.relations.mentions(deep, inputs)
    scores: dict[tuple[int, int], torch.Tensor] = {}
    for asked in pairs.ask_in_parts(joined, reader.settings.reach, 17):
        if not len(asked):
            continue
        stretch = assemble.stretch(joined, asked)
        here, part = assemble.within(inputs, assemble.pair_inputs(asked), stretch)
        contexts = relating.context_inputs(reader, vectors[stretch.pieces], ids[stretch.pieces])
        assert torch.allclose(contexts, reader.relations.contexts(deep[stretch.pieces]), atol=1e-5)
        shared = reader.relations.share(contexts, mentions[stretch.mentions], here)
        _, found = reader.relations(shared, part)
        for head, tail, score in zip(asked.head.tolist(), asked.tail.tolist(), found, strict=True):
            scores[head, tail] = score
    shift, checked = 0, 0
    for number, (gold, table) in enumerate(zip(golds, tables, strict=True)):
        start = sum(lengths[:number])
        slow = slow_scores(reader, deep[start : start + len(table)], table, tuple(sorted(gold)))
        for (head, tail), expected in slow.items():
            got = scores.pop((head + shift, tail + shift), None)
            if got is None:
                first, second = sorted(gold)[head], sorted(gold)[tail]
                possible = [x for x in scheme.RELATION_LABELS if scheme.allowed(x, first, second)]
                assert all(scheme.is_symmetric(label) and head > tail for label in possible)
                continue
            allowed = torch.isfinite(got)
            assert allowed.any()
            assert torch.allclose(got[allowed], expected[allowed], atol=1e-4)
            checked += 1
        shift += len(gold)
    assert not scores, "pairs that the slow twin does not know"
    assert checked > 200


def test_parts_change_nothing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    told = documents()
    tables = tokenize(told, model.tokenizer)
    torch.manual_seed(3)
    vectors = torch.randn(sum(map(len, tables)), model.reader.width)
    golds = [document.annotation.mentions if document.annotation else () for document in told]
    reader, limits = copy.deepcopy(model.reader), Thresholds(0.4, 0.4)

    def read() -> list[Annotation]:
        with torch.inference_mode():
            return relating.decode_relations(reader, vectors, tables, golds, limits)[0]

    whole = read()
    assert sum(len(annotation.relations) for annotation in whole) > 20
    for at_once, scored in ((1, 1), (10, 3), (100, 7)):
        monkeypatch.setattr(relating, "PAIRS_AT_ONCE", at_once)
        monkeypatch.setattr(relating, "SCORED_AT_ONCE", scored)
        for one, other in zip(whole, read(), strict=True):
            assert one == other
            for a, b in zip(one.relations, other.relations, strict=True):
                assert (a.modality, a.source, a.time, a.place) == (b.modality, b.source, b.time, b.place)
                assert abs(a.score - b.score) < 1e-5


def test_a_relation_is_as_sure_as_it_is_with_both_its_mentions(model: Model) -> None:
    told = documents()
    tables = tokenize(told, model.tokenizer)
    torch.manual_seed(3)
    vectors = torch.randn(sum(map(len, tables)), model.reader.width)
    sure = [document.annotation.mentions if document.annotation else () for document in told]
    unsure = [[replace(m, score=0.5 + n % 3 / 10) for n, m in enumerate(mentions)] for mentions in sure]
    with torch.inference_mode():
        first, second = (
            relating.decode_relations(model.reader, vectors, tables, mentions, Thresholds(0.4, 0.4))[0]
            for mentions in (sure, unsure)
        )
    found = 0
    for one, other in zip(first, second, strict=True):
        assert one == other
        for a, b in zip(one.relations, other.relations, strict=True):
            assert b.score == pytest.approx(a.score * b.head.score * b.tail.score)
            found += 1
    assert found > 20
