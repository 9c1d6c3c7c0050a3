import pytest

from annotations.document import Annotation, Mention, Relation, text_sha256


def test_a_score_is_no_part_of_a_mentions_identity() -> None:
    assert Mention(0, 3, "PER", 0.2) == Mention(0, 3, "PER", 0.9)
    assert {Mention(0, 3, "PER", 0.2)} & {Mention(0, 3, "PER", 0.9, "RUS")}


def test_modality_and_source_are_no_part_of_a_relations_identity() -> None:
    head, tail, source = Mention(0, 1, "GPE"), Mention(2, 3, "GPE"), Mention(4, 5, "ORG")
    assert Relation(head, tail, "AIDS") == Relation(head, tail, "AIDS", "denied", source, score=0.1)
    assert Relation(head, tail, "AIDS") != Relation(tail, head, "AIDS")


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 2), (3, 1)])
def test_an_impossible_span_cannot_be_built(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no span"):
        Mention(start, end, "PER")


def test_a_relation_needs_two_mentions() -> None:
    with pytest.raises(ValueError, match="itself"):
        Relation(Mention(0, 1, "PER"), Mention(0, 1, "PER"), "CONSULTS")


def test_layers_put_strictly_enclosed_mentions_inside() -> None:
    outer, inner = Mention(0, 10, "EVENT"), Mention(0, 4, "GPE")
    beside = Mention(11, 15, "GPE")
    layers = Annotation((beside, inner, outer)).layers()
    assert layers == ((outer, beside), (inner,))


def test_the_fingerprint_is_that_of_the_utf8_bytes() -> None:
    assert text_sha256("ä") == "33e6d73fee82904c8d7afb78de1154d1e8dc2a0edb08120e63df5b9385c2d9cc"
