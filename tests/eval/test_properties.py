"""What must hold for any documents: swap, order, repetition, renaming, perfection, one more hit."""

import os
import random
from dataclasses import replace

import pytest

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from annotations.views import VIEWS
from eval.align import Pair
from eval.counts import Counts, merge, total
from eval.metrics import METRICS
from tests.eval import worlds

CASES = int(os.environ.get("JUDGE_CASES", "1500")) // 2
ALL = sorted(METRICS)


def cases(seed: int, count: int = CASES):
    """(metric, pair) over and over, every metric in turn."""
    rng = random.Random(seed)
    for number in range(count):
        text = worlds.random_text(rng, 20)
        gold = worlds.random_annotation(rng, text, 6, 5)
        predicted = clean(worlds.blur(rng, text, gold, 0.5))
        document = Document("d", text, annotation=gold)
        pair = Pair(document, replace(document, annotation=predicted), None)
        yield rng, ALL[number % len(ALL)], with_given(pair)


def clean(annotation: Annotation) -> Annotation:
    """Without what lies across two layers: the layers of a prediction are as clean as those of gold."""
    kept: list[Mention] = []
    for mention in sorted(annotation.mentions, key=lambda m: (m.start, -m.end)):
        inside = [m for m in kept if m.overlaps(mention)]
        if not inside or (len(inside) == 1 and inside[0].holds(mention)):
            kept.append(mention)
    mentions = set(kept)
    return Annotation(tuple(kept), tuple(r for r in annotation.relations if {r.head, r.tail} <= mentions))


def with_given(pair: Pair) -> Pair:
    mentions = set(pair.gold.annotation.mentions)
    relations = (r for r in pair.predicted.annotation.relations if {r.head, r.tail} <= mentions)
    given = Annotation(pair.gold.annotation.mentions, tuple(relations))
    return replace(pair, given=replace(pair.gold, annotation=given))


def counts(name: str, pair: Pair) -> Counts:
    return total(METRICS[name].count(pair))


def test_swapping_gold_and_prediction_swaps_spurious_and_missed():
    for _, name, pair in cases(1):
        if name == "relations.pairs":
            continue  # it tells the model which pairs gold joins: the two sides are not alike
        if METRICS[name].given:
            pair = replace(pair, predicted=pair.given)
            swapped = Pair(pair.given, replace(pair.gold, id="d"), pair.gold)
        else:
            swapped = Pair(pair.predicted, pair.gold)
        there, back = counts(name, pair), counts(name, swapped)
        assert (there.hits, there.halves) == (back.hits, back.halves), (name, pair)
        assert (there.spurious, there.missed) == (back.missed, back.spurious)
        assert there.f1 == back.f1


def test_the_order_of_mentions_and_relations_says_nothing():
    for rng, name, pair in cases(2):
        mixed = replace(
            pair,
            gold=mix(rng, pair.gold),
            predicted=mix(rng, pair.predicted),
            given=mix(rng, pair.given),
        )
        assert METRICS[name].count(pair) == METRICS[name].count(mixed), name


def mix(rng: random.Random, document: Document) -> Document:
    a = document.annotation
    sides = (rng.sample(side, len(side)) for side in (a.mentions, a.relations))
    return replace(document, annotation=Annotation(*map(tuple, sides)))


def test_saying_it_twice_changes_nothing():
    for _, name, pair in cases(3):
        twice = replace(pair, predicted=doubled(pair.predicted), given=doubled(pair.given))
        assert METRICS[name].count(pair) == METRICS[name].count(twice), name


def doubled(document: Document) -> Document:
    a = document.annotation
    turned = tuple(replace(r, head=r.tail, tail=r.head) for r in a.relations if scheme.is_symmetric(r.label))
    return replace(document, annotation=Annotation(a.mentions * 2, a.relations * 2 + turned))


def test_documents_add_up_in_any_order_and_twice_the_corpus_scores_the_same():
    pairs = [pair for _, _, pair in cases(4, 60)]
    for name in ALL:
        tallies = [METRICS[name].count(pair) for pair in pairs]
        assert merge(tallies) == merge(tallies[::-1])
        assert total(merge(tallies * 2)).f1 == total(merge(tallies)).f1
        assert total(merge(tallies)) == sum((total(t) for t in tallies), Counts())


def test_what_is_perfect_scores_one_and_nothing_scores_nothing():
    for _, name, pair in cases(5):
        perfect = Pair(pair.gold, pair.gold, pair.gold)
        best = counts(name, perfect)
        assert (best.spurious, best.missed, best.halves) == (0, 0, 0)
        assert best.f1 in (0.0, 1.0)
        assert (best.f1 == 1.0) == (best.gold > 0)
        silent = replace(pair.gold, annotation=Annotation())
        worst = counts(name, Pair(pair.gold, silent, silent))
        assert (worst.hits, worst.spurious) == (0, 0)
        assert worst.gold == best.gold


def test_one_more_right_answer_never_lowers_recall_or_precision():
    for rng, name, pair in cases(6):
        gold = pair.gold.annotation
        if name.startswith("relations") or name in ("triples", "view.backoff", "view.plover"):
            missing = [r for r in gold.relations if r not in pair.predicted.annotation.relations]
            if not missing:
                continue
            after = with_relation(pair, rng.choice(missing))
        else:
            missing = [m for m in gold.mentions if m not in pair.predicted.annotation.mentions]
            if not missing:
                continue
            after = with_mention(pair, rng.choice(missing))
        before, then = counts(name, pair), counts(name, after)
        if name.endswith((".modality", ".joint", ".outer", ".inner")):
            assert then.gold == before.gold
            continue  # another reading of it may have been right before, or lie in the way of a layer
        assert then.recall >= before.recall, (name, pair)


def with_relation(pair: Pair, relation: Relation) -> Pair:
    a, g = pair.predicted.annotation, pair.given.annotation
    mentions = tuple(sorted({*a.mentions, relation.head, relation.tail}))
    predicted = replace(pair.predicted, annotation=Annotation(mentions, (*a.relations, relation)))
    told = replace(pair.given, annotation=Annotation(g.mentions, tuple({*g.relations, relation})))
    return replace(pair, predicted=predicted, given=told)


def with_mention(pair: Pair, mention: Mention) -> Pair:
    a = pair.predicted.annotation
    return replace(
        pair, predicted=replace(pair.predicted, annotation=Annotation((*a.mentions, mention), a.relations))
    )


def test_renaming_labels_renames_the_counts_and_nothing_else():
    labels = list(scheme.ENTITY_LABELS)
    for rng, name, pair in cases(7):
        if name.startswith(("view", "relations", "triples")):
            continue
        names = dict(zip(labels, rng.sample(labels, len(labels)), strict=True))
        renamed = Pair(rename(pair.gold, names), rename(pair.predicted, names))
        tally = METRICS[name].count(pair)
        assert METRICS[name].count(renamed) == {names[label]: c for label, c in tally.items()}, name


def rename(document: Document, names: dict[str, str]) -> Document:
    mentions = (replace(m, label=names[m.label]) for m in document.annotation.mentions)
    return replace(document, annotation=Annotation(tuple(sorted(mentions))))


def test_moving_the_text_changes_nothing():
    for _, name, pair in cases(8):
        moved = Pair(*(move(d) for d in (pair.gold, pair.predicted, pair.given)))
        assert METRICS[name].count(moved) == METRICS[name].count(pair), name


def move(document: Document) -> Document:
    def shift(m: Mention | None) -> Mention | None:
        return None if m is None else replace(m, start=m.start + 3, end=m.end + 3)

    relations = (
        replace(
            r,
            head=shift(r.head),
            tail=shift(r.tail),
            source=shift(r.source),
            time=shift(r.time),
            place=shift(r.place),
        )
        for r in document.annotation.relations
    )
    mentions = tuple(shift(m) for m in document.annotation.mentions)
    return replace(document, text="🚀\r\n" + document.text, annotation=Annotation(mentions, tuple(relations)))


def test_harder_questions_have_no_more_hits():
    ladder = ("relations.strict.joint", "relations.strict.modality", "relations.strict")
    for _, _, pair in cases(9):
        hits = [counts(name, pair).hits for name in (*ladder, "relations.boundaries")]
        assert hits == sorted(hits)
        spans = [counts(f"mentions.{name}.outer", pair) for name in ("strict", "boundaries", "overlap")]
        assert spans[0].f1 <= spans[1].f1 <= spans[2].f1
        assert counts("relations.pairs", pair).hits == counts("relations.given", pair).hits


@pytest.mark.parametrize("name", ALL)
def test_every_metric_counts_only_labels_it_names(name):
    for _, _, pair in cases(10, 40):
        assert set(METRICS[name].count(pair)) <= set(METRICS[name].labels)


def test_views_leave_out_what_they_say():
    for view in VIEWS.values():
        assert set(view.left_out).isdisjoint({*view.mentions, *view.relations})
