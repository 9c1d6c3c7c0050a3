import random
from dataclasses import fields, replace

import pytest

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation
from eval.signature import Signature, fingerprint
from tests.eval import worlds

ONE = Signature("abc", 5)


@pytest.mark.parametrize("name", [f.name for f in fields(Signature)])
def test_every_setting_that_could_change_a_score_changes_the_signature(name):
    value = getattr(ONE, name)
    changed = replace(ONE, **{name: (value or 0) + 1 if not isinstance(value, str) else value + "x"})
    assert str(changed) != str(ONE)
    (difference,) = ONE.differences(changed)
    assert difference.startswith(f"{name}: ")


def test_equal_signatures_do_not_differ():
    assert ONE.differences(Signature("abc", 5)) == []
    assert str(ONE).startswith("depesche|metric:all|mode:spans|view:none|")
    assert "metric:triples" in str(ONE.of("triples"))


def test_the_fingerprint_changes_with_anything_of_gold_and_with_nothing_else():
    rng = random.Random(5)
    for seed in range(100):
        documents = worlds.random_documents(seed, 2, 30)
        before = fingerprint(documents)
        scored = [replace(d, meta={"title": "x"}, annotation=shuffled(rng, d.annotation)) for d in documents]
        assert fingerprint(scored[::-1]) == before
        assert fingerprint([documents[0], changed(rng, documents[1])]) != before
        assert fingerprint(documents[:1]) != before


def shuffled(rng: random.Random, annotation: Annotation) -> Annotation:
    sides = (annotation.mentions, annotation.relations)
    return Annotation(*(tuple(rng.sample(side, len(side))) for side in sides))


def changed(rng: random.Random, document: Document) -> Document:
    annotation = document.annotation
    relations = list(annotation.relations)
    kind = rng.randrange(4) if relations else rng.randrange(2)
    if kind == 0:
        return replace(document, text=document.text + "!")
    if kind == 1:
        return replace(document, annotation=Annotation(annotation.mentions[1:]))
    relation = relations.pop()
    other = next(m for m in scheme.MODALITIES if m != relation.modality)
    new = replace(relation, modality=other) if kind == 2 else replace(relation, source=Mention(0, 1, "PER"))
    return replace(document, annotation=Annotation(annotation.mentions, (*relations, new)))


def test_a_symmetric_relation_has_one_fingerprint():
    a, b = Mention(0, 1, "PER"), Mention(2, 3, "PER")
    prints = {
        fingerprint([Document("d", "abc", annotation=Annotation((a, b), (Relation(x, y, "CONSULTS"),)))])
        for x, y in ((a, b), (b, a))
    }
    assert len(prints) == 1
