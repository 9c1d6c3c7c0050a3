from annotations import scheme
from annotations.document import Annotation, Mention, Relation
from annotations.views import PLOVER_TYPES, VIEWS, plover_events, seen_as

US = Mention(0, 2, "GPE")
PRESIDENT = Mention(0, 12, "ROLE")
RUSSIAN = Mention(20, 28, "NORP")
KYIV = Mention(30, 34, "GPE")
ARMS = Mention(40, 46, "WEAPON")
FRONT = Mention(50, 55, "LOC")


def test_germeval_sees_names_and_derived_adjectives_alone():
    seen = seen_as(Annotation((US, PRESIDENT, RUSSIAN, FRONT)), VIEWS["germeval"])
    assert {(m.start, m.label) for m in seen.mentions} == {(0, "LOC"), (20, "LOCderiv"), (50, "LOC")}
    assert {"ORG", "EVENT", "TREATY", "WEAPON"} <= set(VIEWS["germeval"].left_out)


def test_conll_sees_the_outer_layer_only():
    assert seen_as(Annotation((US, PRESIDENT, KYIV)), VIEWS["conll2003"]).mentions == (
        Mention(30, 34, "LOC"),
    )


def test_backing_off_joins_labels_and_keeps_the_rest():
    relations = (
        Relation(US, KYIV, "AIDS"),
        Relation(US, KYIV, "SUPPORTS"),
        Relation(US, KYIV, "SANCTIONS"),
        Relation(US, KYIV, "FIGHTS"),
    )
    seen = seen_as(Annotation((US, KYIV), relations), VIEWS["backoff"])
    assert [r.label for r in seen.relations] == ["FIGHTS", "HELPS", "OPPOSES"]
    assert VIEWS["backoff"].left_out == ()


def test_a_relation_goes_with_its_mention_and_a_source_that_is_not_shown_is_none():
    kept = Relation(US, KYIV, "AIDS", source=PRESIDENT)
    gone = Relation(PRESIDENT, KYIV, "AIDS")
    view = VIEWS["backoff"]
    narrow = type(view)({"GPE": "LOC"}, view.relations)
    seen = seen_as(Annotation((US, PRESIDENT, KYIV), (kept, gone)), narrow)
    assert len(seen.relations) == 1
    assert seen.relations[0].source is None


def test_plover_records_have_a_source_a_target_and_the_thing_given():
    relations = (
        Relation(US, KYIV, "AIDS", "planned", time=None, place=FRONT),
        Relation(US, ARMS, "PROVIDES"),
        Relation(KYIV, RUSSIAN, "REJECTS", "denied"),
        Relation(US, ARMS, "LOCATED_IN"),
    )
    events = plover_events(Annotation((US, KYIV, ARMS, RUSSIAN, FRONT), relations))
    assert [(e.type, e.target, e.negated, e.themes) for e in events] == [
        ("AGREE", KYIV, False, (ARMS,)),
        ("REJECT", RUSSIAN, True, ()),
    ]
    assert events[0].place == FRONT


def test_what_is_provided_to_nobody_is_aid_without_a_target():
    (event,) = plover_events(Annotation((US, ARMS), (Relation(US, ARMS, "PROVIDES", "planned"),)))
    assert (event.type, event.target, event.themes) == ("AGREE", None, (ARMS,))


def test_what_is_no_act_between_actors_is_no_event():
    war = Mention(60, 65, "EVENT")
    assert plover_events(Annotation((US, war), (Relation(US, war, "SUPPORTS"),))) == ()


def test_every_label_between_actors_has_a_place_in_plover():
    assert set(PLOVER_TYPES) | {"PROVIDES"} == set(scheme.ACTOR_RELATIONS)
