from annotations import scheme
from annotations.document import Mention, Relation


def test_there_are_twelve_entities_sixteen_relations_and_five_modalities() -> None:
    assert len(scheme.ENTITY_LABELS) == 12
    assert len(scheme.STATIC_RELATIONS) == 6
    assert len(scheme.ACTOR_RELATIONS) == 10
    assert len(scheme.MODALITIES) == 5


def test_every_argument_label_is_an_entity_label() -> None:
    for signature in scheme.RELATIONS.values():
        assert signature.heads | signature.tails <= set(scheme.ENTITY_LABELS)


def test_only_consulting_and_cooperating_are_symmetric() -> None:
    assert [label for label in scheme.RELATIONS if scheme.is_symmetric(label)] == [
        "CONSULTS",
        "COOPERATES_WITH",
    ]


def test_a_symmetric_relation_is_stored_with_the_earlier_mention_first() -> None:
    early, late, source = Mention(0, 2, "PER"), Mention(5, 7, "PER"), Mention(9, 11, "ORG")
    swapped = scheme.canonical(Relation(late, early, "CONSULTS", "reported", source))
    assert (swapped.head, swapped.tail) == (early, late)
    assert (swapped.modality, swapped.source) == ("reported", source)
    directed = Relation(late, early, "AIDS")
    assert scheme.canonical(directed) is directed


def test_argument_types_are_those_of_the_scheme() -> None:
    person, role, weapon = Mention(0, 1, "PER"), Mention(2, 3, "ROLE"), Mention(4, 5, "WEAPON")
    assert scheme.allowed("HAS_ROLE", person, role)
    assert not scheme.allowed("HAS_ROLE", role, person)
    assert scheme.allowed("PROVIDES", person, weapon)
    assert not scheme.allowed("AIDS", person, weapon)
