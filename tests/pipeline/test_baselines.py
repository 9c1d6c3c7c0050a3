from dataclasses import replace

from annotations.document import Annotation, Document, Mention, Relation
from pipeline.baselines import learn


def test_what_was_seen_is_found_again(small: Document) -> None:
    again = learn([small]).annotate(replace(small, annotation=None))
    assert small.annotation is not None
    assert set(again.mentions) == set(small.annotation.mentions)
    assert Relation(again.mentions[2], again.mentions[1], "HAS_ROLE") in again.relations or any(
        r.label == "HAS_ROLE" for r in again.relations
    )


def test_rules_find_dates_and_numbers_never_seen() -> None:
    document = Document("d", "Am 3. Mai 2019 kamen rund 2.000 Mann.")
    found = learn([]).annotate(document)
    assert found.mentions == (Mention(3, 14, "DATE"), Mention(21, 31, "QUANT"))


def test_the_commonest_label_wins() -> None:
    def one(name: str, label: str) -> Document:
        return Document(name, "Kiew", annotation=Annotation((Mention(0, 4, label),)))

    learned = learn([one("a", "GPE"), one("b", "LOC"), one("c", "GPE")])
    assert learned.annotate(Document("d", "in Kiew")).mentions == (Mention(3, 7, "GPE"),)
