"""The questions that a run answers, on documents whose answers are known."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from annotations.document import Annotation, Document, Mention, Relation
from pipeline.scoring import QUESTIONS, Scored, score, summary

TEXT = "Ana Bo Cy Di"
PEOPLE = tuple(Mention(start, end, "PER", 1.0) for start, end in ((0, 3), (4, 6), (7, 9), (10, 12)))


def document(modalities: tuple[str, str, str]) -> Document:
    relations = tuple(
        Relation(PEOPLE[0], other, "ACCUSES", modality=modality)
        for other, modality in zip(PEOPLE[1:], modalities, strict=True)
    )
    return Document("d", TEXT, annotation=Annotation(PEOPLE, relations))


def test_modality_is_held_against_the_commonest_on_the_same_relations() -> None:
    gold = document(("asserted", "asserted", "denied"))
    for said, expected in (
        (("asserted", "asserted", "denied"), 1.0),
        (("asserted", "asserted", "asserted"), 0.4),  # F1 0.8 and 0
        (("denied", "denied", "asserted"), 0.0),
    ):
        predicted = replace(document(said), id="d")
        report = score(Scored((gold,), (predicted,), (predicted,)), "x")
        assert QUESTIONS["modality of the ten on correct relations, macro F1"](report) == pytest.approx(
            expected
        )
        assert QUESTIONS["modality, all of them called by the commonest, macro F1"](report) == pytest.approx(
            0.4
        )


def test_calibration_is_the_distance_of_scores_from_what_is_right() -> None:
    gold = document(("asserted", "asserted", "denied"))
    unsure = Annotation(tuple(replace(person, score=0.7) for person in PEOPLE), ())
    predicted = replace(gold, annotation=unsure)
    report = score(Scored((gold,), (predicted,), (predicted,)), "x")
    told = "expected calibration error (less is better), "
    assert QUESTIONS[told + "mentions"](report) == pytest.approx(0.3)
    assert math.isnan(QUESTIONS[told + "relations end to end"](report))  # there are none
    scored = Scored((gold,), (predicted,), (predicted,))
    unscored = Scored((gold,), (gold,), (gold,))
    table = summary([scored, scored], unscored)
    assert f"| {told}mentions | 0.300 ± 0.000 | – |" in table
    assert f"| {told}relations end to end | – | – |" in table
