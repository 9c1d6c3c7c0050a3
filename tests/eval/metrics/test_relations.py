"""Relations against brute force: every gold relation is looked for in every predicted one."""

import os
import random
from dataclasses import replace

import pytest

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from eval.align import Pair
from eval.counts import Counts, total
from eval.metrics import METRICS
from eval.metrics.relations import GROUPS, MODES, matched
from tests.eval import worlds

GRAPHS = int(os.environ.get("JUDGE_CASES", "600"))


def random_pair(rng: random.Random) -> Pair:
    text = worlds.random_text(rng, 25)
    gold = worlds.random_annotation(rng, text, 7, 8)
    predicted = worlds.blur(rng, text, gold, 0.4)
    # Both ways round, as a model may say a symmetric relation.
    doubled = tuple(turned(r) for r in predicted.relations if rng.random() < 0.2)
    predicted = Annotation(predicted.mentions, predicted.relations + doubled)
    (told,) = worlds.given_on([Document("d", text, annotation=gold)], rng.randrange(1000))
    given = Annotation(gold.mentions, told.annotation.relations)
    return Pair(*(Document("d", text, annotation=a) for a in (gold, predicted, given)))


def turned(relation: Relation) -> Relation:
    return replace(relation, head=relation.tail, tail=relation.head)


def same(first: Relation, second: Relation, labels: bool) -> bool:
    def equal(a: Mention, b: Mention) -> bool:
        return (a.start, a.end) == (b.start, b.end) and (not labels or a.label == b.label)

    if first.label != second.label:
        return False
    straight = equal(first.head, second.head) and equal(first.tail, second.tail)
    crossed = equal(first.head, second.tail) and equal(first.tail, second.head)
    return straight or (first.label in ("CONSULTS", "COOPERATES_WITH") and crossed)


def once(relations: tuple[Relation, ...], labels: bool) -> list[Relation]:
    """A symmetric relation said both ways is said once."""
    kept: list[Relation] = []
    for relation in relations:
        if not any(same(relation, other, True) for other in kept):
            kept.append(relation)
    return kept


def brute_force(gold: Annotation, predicted: Annotation, labels: bool, chosen: tuple[str, ...]) -> Counts:
    ours = [r for r in once(gold.relations, labels) if r.label in chosen]
    left = [r for r in once(predicted.relations, labels) if r.label in chosen]
    hits = 0
    for relation in ours:
        for other in left:
            if same(relation, other, labels):
                left.remove(other)
                hits += 1
                break
    return Counts(hits, len(left), len(ours) - hits)


@pytest.mark.parametrize("name", list(MODES))
def test_agrees_with_brute_force(name):
    rng = random.Random(23)
    for _ in range(GRAPHS):
        pair = random_pair(rng)
        tally = METRICS[f"relations.{name}"].count(pair)
        gold, predicted = MODES[name].readings(pair)
        for labels in GROUPS.values():
            assert total(tally, labels) == brute_force(gold, predicted, MODES[name].labels, labels)


PUTIN, KIM, MOSCOW = Mention(0, 5, "PER"), Mention(11, 14, "PER"), Mention(18, 24, "GPE")
TEXT = "Putin traf Kim in Moskau"


def pair_of(gold: list[Relation], predicted: list[Relation], mentions=(PUTIN, KIM, MOSCOW)) -> Pair:
    first = Document("d", TEXT, annotation=Annotation((PUTIN, KIM, MOSCOW), tuple(gold)))
    return Pair(first, Document("d", TEXT, annotation=Annotation(tuple(mentions), tuple(predicted))))


def counts(pair: Pair, name: str) -> Counts:
    return total(METRICS[name].count(pair))


@pytest.mark.parametrize("label", list(scheme.RELATION_LABELS))
def test_direction_counts_except_where_there_is_none(label):
    gold, predicted = Relation(PUTIN, KIM, label), Relation(KIM, PUTIN, label)
    hit = scheme.is_symmetric(label)
    assert counts(pair_of([gold], [predicted]), "relations.strict") == (Counts(1) if hit else Counts(0, 1, 1))


def test_boundaries_forgive_the_label_of_a_mention_and_nothing_else():
    leader = Mention(0, 5, "ORG")
    pair = pair_of([Relation(PUTIN, KIM, "AIDS")], [Relation(leader, KIM, "AIDS")], (leader, KIM))
    assert counts(pair, "relations.boundaries") == Counts(1)
    assert counts(pair, "relations.strict") == Counts(0, 1, 1)
    wider = Mention(0, 10, "PER")
    pair = pair_of([Relation(PUTIN, KIM, "AIDS")], [Relation(wider, KIM, "AIDS")], (wider, KIM))
    assert counts(pair, "relations.boundaries") == Counts(0, 1, 1)


def test_all_of_gold_is_the_denominator_even_where_no_mention_was_found():
    pair = pair_of([Relation(PUTIN, KIM, "AIDS"), Relation(KIM, MOSCOW, "LOCATED_IN")], [], ())
    assert counts(pair, "relations.strict") == Counts(0, 0, 2)


def test_everything_right_means_modality_source_time_and_place():
    day = Mention(6, 10, "DATE")
    gold = Relation(PUTIN, KIM, "AIDS", "denied", source=KIM, time=day, place=MOSCOW)
    for change in ({"modality": "asserted"}, {"source": None}, {"time": None}, {"place": None}):
        pair = pair_of([gold], [replace(gold, **change)])
        assert counts(pair, "relations.strict") == Counts(1)
        assert counts(pair, "relations.strict.joint") == Counts(0, 1, 1)
        right = "modality" not in change
        assert counts(pair, "relations.strict.modality") == (Counts(1) if right else Counts(0, 1, 1))
    assert counts(pair_of([gold], [gold]), "relations.strict.joint") == Counts(1)


def test_matched_pairs_are_as_many_as_hits():
    rng = random.Random(29)
    for _ in range(200):
        pair = random_pair(rng)
        for name, mode in MODES.items():
            assert len(matched(pair, mode)) == counts(pair, f"relations.{name}").hits


def test_gold_pairs_given_leaves_out_what_joins_no_gold_pair():
    gold = Relation(PUTIN, KIM, "AIDS")
    pair = pair_of([gold], [])
    said = (Relation(KIM, PUTIN, "ACCUSES"), Relation(PUTIN, MOSCOW, "FIGHTS"))
    pair = replace(pair, given=replace(pair.gold, annotation=Annotation((PUTIN, KIM, MOSCOW), said)))
    assert counts(pair, "relations.given") == Counts(0, 2, 1)
    assert counts(pair, "relations.pairs") == Counts(0, 1, 1)


def test_without_a_prediction_on_gold_mentions_nobody_can_say():
    with pytest.raises(ValueError, match="nobody predicted relations on gold mentions"):
        METRICS["relations.given"].count(pair_of([], []))
