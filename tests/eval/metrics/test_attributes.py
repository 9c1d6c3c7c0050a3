from annotations.document import Annotation, Document, Mention, Relation
from eval.align import Pair
from eval.metrics.attributes import attribute_score, confusions, square
from eval.metrics.relations import GROUPS, MODES

PUTIN, KIM, MOSCOW, PRESS = (
    Mention(0, 5, "PER"),
    Mention(11, 14, "PER"),
    Mention(18, 24, "GPE"),
    Mention(30, 34, "ORG"),
)
ALL = (PUTIN, KIM, MOSCOW, PRESS)


def table(gold: list[Relation], predicted: list[Relation]):
    sides = (Document("d", "x" * 40, annotation=Annotation(ALL, tuple(r))) for r in (gold, predicted))
    return confusions(Pair(*sides), MODES["strict"])


def test_only_relations_that_were_found_are_asked():
    found = table([Relation(PUTIN, KIM, "AIDS")], [Relation(PUTIN, KIM, "ACCUSES")])
    assert all(not confusion for confusion in found.values())


def test_modality_is_a_confusion_with_a_macro_over_what_is_present():
    gold = [Relation(PUTIN, KIM, "AIDS", "denied"), Relation(KIM, PUTIN, "ACCUSES", "reported")]
    predicted = [Relation(PUTIN, KIM, "AIDS", "denied"), Relation(KIM, PUTIN, "ACCUSES", "asserted")]
    found = table(gold, predicted)["modality"]
    assert square(found, GROUPS["all"]) == {("denied", "denied"): 1, ("reported", "asserted"): 1}
    score = attribute_score(found, GROUPS["actors"])
    assert (score.right, score.matched, score.accuracy) == (1, 2, 0.5)
    assert score.macro_f1 == (1.0 + 0.0 + 0.0) / 3


def test_a_wrong_source_is_both_missed_and_made_up():
    cases = [(PRESS, PRESS), (None, None), (PRESS, None), (None, PRESS), (PRESS, MOSCOW)]
    labels = ("AIDS", "ACCUSES", "SUPPORTS", "FIGHTS", "REJECTS")
    gold = [Relation(PUTIN, KIM, a, source=g) for a, (g, _) in zip(labels, cases, strict=True)]
    said = [Relation(PUTIN, KIM, a, source=p) for a, (_, p) in zip(labels, cases, strict=True)]
    score = attribute_score(table(gold, said)["source"], GROUPS["all"])
    assert (score.right, score.matched) == (2, 5)
    assert score.macro_f1 == 2 * 1 / (3 + 3)


def test_static_relations_have_no_time_and_no_place():
    relation = Relation(PUTIN, MOSCOW, "LOCATED_IN")
    found = table([relation], [relation])
    assert not found["time"] and not found["place"] and found["source"]
