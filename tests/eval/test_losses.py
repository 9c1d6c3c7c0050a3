import random
from collections import Counter
from dataclasses import replace

import pytest

from annotations.document import Annotation, Document, Mention, Relation
from eval.align import Pair
from eval.counts import total
from eval.losses import CAUSES, Trace, causes, count_losses
from eval.metrics import METRICS
from eval.metrics.relations import MODES
from tests.eval.metrics.test_relations import random_pair

STRICT = MODES["strict"]
PUTIN, KIM, MOSCOW = Mention(0, 5, "PER"), Mention(11, 14, "PER"), Mention(18, 24, "GPE")
GOLD = Relation(PUTIN, KIM, "AIDS", "denied")
ALL = (PUTIN, KIM, MOSCOW)


@pytest.mark.parametrize(
    ("cause", "mentions", "said"),
    [
        ("head", (KIM,), None),
        ("tail", (PUTIN,), None),
        ("head", (MOSCOW,), None),
        ("boundary", (Mention(0, 9, "PER"), KIM), None),
        ("label", (Mention(0, 5, "ORG"), KIM), None),
        ("direction", ALL, replace(GOLD, head=KIM, tail=PUTIN)),
        ("relation", ALL, replace(GOLD, label="ACCUSES")),
        ("relation", ALL, replace(GOLD, head=KIM, tail=PUTIN, label="ACCUSES")),
        ("none", ALL, Relation(PUTIN, MOSCOW, "LOCATED_IN")),
        ("modality", ALL, replace(GOLD, modality="asserted")),
    ],
)
def test_the_first_cause(cause, mentions, said):
    predicted = Annotation(mentions, (said,) if said else ())
    assert causes(Annotation(ALL, (GOLD,)), predicted, STRICT, Trace()) == [(GOLD, cause)]


def test_what_is_found_is_not_lost():
    gold = Annotation(ALL, (GOLD,))
    assert causes(gold, gold, STRICT, Trace()) == []


def test_a_mention_around_it_that_is_right_itself_is_no_wrong_boundary():
    role, inner = Mention(0, 12, "ROLE"), Mention(0, 2, "GPE")
    gold = Annotation((role, inner, MOSCOW), (Relation(inner, MOSCOW, "LOCATED_IN"),))
    predicted = Annotation((role, MOSCOW), ())
    assert causes(gold, predicted, STRICT, Trace())[0][1] == "head"


def test_what_the_run_kept_tells_window_and_pair_apart():
    gold, predicted = Annotation(ALL, (GOLD,)), Annotation(ALL)
    apart = Trace(windows=((0, 8), (8, 30)))
    unasked = Trace(pairs=frozenset({((0, 5), (18, 24))}), windows=((0, 30),))
    asked = Trace(pairs=frozenset({((11, 14), (0, 5))}))
    found = [causes(gold, predicted, STRICT, trace)[0][1] for trace in (apart, unasked, asked)]
    assert found == ["window", "pair", "none"]


def test_a_pair_that_the_scheme_forbids_is_not_asked():
    relation = Relation(PUTIN, MOSCOW, "HAS_ROLE")
    assert causes(Annotation(ALL, (relation,)), Annotation(ALL), STRICT, Trace()) == [(relation, "pair")]


def test_causes_sum_to_what_is_missed_and_made_up():
    rng = random.Random(31)
    seen: Counter[str] = Counter()
    for _ in range(400):
        pair = random_pair(rng)
        for mode in (STRICT, MODES["given"]):
            gold, predicted = mode.readings(pair)
            losses = count_losses(gold, predicted, mode)
            counts = total(METRICS[f"relations.{mode.name}.modality"].count(pair))
            assert sum(losses.missed.values()) == counts.missed
            assert sum(losses.spurious.values()) == counts.spurious
            seen.update(cause for _, cause in (*losses.missed, *losses.spurious))
    assert set(seen) == set(CAUSES) - {"window"}


def test_the_same_questions_put_the_other_way_round():
    said = replace(GOLD, label="ACCUSES")
    gold, predicted = Annotation(ALL, (GOLD,)), Annotation(ALL, (said,))
    losses = count_losses(gold, predicted, STRICT)
    assert losses.missed == {("AIDS", "relation"): 1}
    assert losses.spurious == {("ACCUSES", "relation"): 1}
    pair = Pair(*(Document("d", "x" * 30, annotation=a) for a in (gold, predicted)))
    assert total(METRICS["relations.strict"].count(pair)).missed == 1


def test_a_symmetric_relation_said_the_other_way_round_is_found():
    gold, said = Relation(PUTIN, KIM, "CONSULTS"), Relation(KIM, PUTIN, "CONSULTS", "denied")
    found = causes(Annotation(ALL, (gold,)), Annotation(ALL, (said,)), STRICT, Trace())
    assert found == [(gold, "modality")]
