"""Made-up documents for tests: random texts, gold readings and predictions that are almost right."""

import random
from dataclasses import replace

from annotations import scheme
from annotations.document import Annotation, Document, Mention, Relation

_SENTENCES = """
Nordkorea hat Truppen nach Russland entsandt bestätigte der Kreml am Freitag während Seoul und Kiew
schwiegen Präsident Selenskyj traf Außenministerin Baerbock in Berlin rund 2.000 Soldaten kämpften
an der Front im Ukraine-Krieg laut KCNA soll Moskau Raketen geliefert haben was Peskow bestritt
"""
WORDS = tuple(_SENTENCES.split())


def random_text(rng: random.Random, words: int = 60) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)) + "."


def random_annotation(rng: random.Random, text: str, mentions: int = 10, relations: int = 8) -> Annotation:
    """Two clean layers on word borders, and relations that the scheme allows."""
    starts = [0, *(i + 1 for i, c in enumerate(text) if c == " ")]
    ends = [*(i for i, c in enumerate(text) if c == " "), len(text)]
    chosen: list[Mention] = []
    position = 0
    while position < len(starts) and len(chosen) < mentions:
        position += rng.randrange(3)
        length = rng.choice((1, 1, 1, 2, 3))
        if position + length > len(starts):
            break
        outer = Mention(starts[position], ends[position + length - 1], rng.choice(scheme.ENTITY_LABELS))
        chosen.append(outer)
        if rng.random() < 0.25 and outer.end - outer.start > 3:
            chosen.append(Mention(outer.start, outer.end - 2, rng.choice(scheme.ENTITY_LABELS)))
        position += length
    return Annotation(tuple(sorted(set(chosen))), random_relations(rng, chosen, relations))


def random_relations(rng: random.Random, mentions: list[Mention], count: int) -> tuple[Relation, ...]:
    found: set[Relation] = set()
    for _ in range(count * 4):
        if len(mentions) < 2 or len(found) >= count:
            break
        head, tail = rng.sample(mentions, 2)
        labels = [label for label in scheme.RELATION_LABELS if scheme.allowed(label, head, tail)]
        if head == tail or not labels:
            continue
        found.add(scheme.canonical(_relation(rng, head, tail, rng.choice(labels), mentions)))
    return tuple(sorted(found))


def _relation(
    rng: random.Random, head: Mention, tail: Mention, label: str, mentions: list[Mention]
) -> Relation:
    dates = [m for m in mentions if m.label == "DATE"]
    places = [m for m in mentions if m.label in scheme.PLACE]
    actors = [m for m in mentions if m.label in scheme.ACTOR]
    dynamic = label in scheme.ACTOR_RELATIONS
    return Relation(
        head,
        tail,
        label,
        modality=rng.choice(scheme.MODALITIES),
        source=rng.choice(actors) if actors and rng.random() < 0.5 else None,
        time=rng.choice(dates) if dates and dynamic and rng.random() < 0.5 else None,
        place=rng.choice(places) if places and dynamic and rng.random() < 0.5 else None,
    )


def blur(rng: random.Random, text: str, gold: Annotation, noise: float = 0.3) -> Annotation:
    """Gold with mentions dropped, moved, renamed and made up, relations likewise, and scores."""
    moved: dict[Mention, Mention] = {}
    for mention in gold.mentions:
        draw = rng.random() / noise
        end = mention.end
        label = mention.label
        if draw < 0.25:
            continue
        if draw < 0.5 and end + 2 < len(text):
            end += 2
        elif draw < 0.75:
            label = rng.choice(scheme.ENTITY_LABELS)
        moved[mention] = Mention(mention.start, end, label, score=_score(rng, draw > 0.75))
    extra = [m for m in random_annotation(rng, text, 2, 0).mentions if m not in moved.values()]
    mentions = [*moved.values(), *extra]
    return Annotation(tuple(sorted(set(mentions))), _blurred(rng, gold, moved, mentions, noise))


def _score(rng: random.Random, right: bool) -> float:
    return round(rng.betavariate(6, 2) if right else rng.betavariate(3, 3), 4)


def _blurred(
    rng: random.Random, gold: Annotation, moved: dict[Mention, Mention], mentions: list[Mention], noise: float
) -> tuple[Relation, ...]:
    kept = set()
    for relation in gold.relations:
        head, tail = moved.get(relation.head), moved.get(relation.tail)
        draw = rng.random() / noise
        if head is None or tail is None or head == tail or draw < 0.3:
            continue
        changes = {"head": head, "tail": tail, "source": None, "time": None, "place": None}
        for name in ("source", "time", "place"):
            changes[name] = moved.get(getattr(relation, name)) if rng.random() > noise else None
        if draw < 0.5:
            changes["label"] = rng.choice(scheme.RELATION_LABELS)
        elif draw < 0.65:
            changes["head"], changes["tail"] = tail, head
        modality = relation.modality if rng.random() > noise else rng.choice(scheme.MODALITIES)
        new = replace(relation, **changes, modality=modality, score=_score(rng, draw > 0.65))
        kept.add(scheme.canonical(new))
    kept |= set(random_relations(rng, mentions, 1))
    return tuple(sorted(kept))


def random_documents(seed: int, count: int, words: int = 60) -> list[Document]:
    rng = random.Random(seed)
    documents = []
    for number in range(count):
        text = random_text(rng, words)
        documents.append(Document(f"doc-{number:03d}", text, annotation=random_annotation(rng, text)))
    return documents


def predictions_on(documents: list[Document], seed: int, noise: float = 0.3) -> list[Document]:
    rng = random.Random(seed)
    return [replace(d, annotation=blur(rng, d.text, d.annotation, noise)) for d in documents]


def given_on(documents: list[Document], seed: int, noise: float = 0.3) -> list[Document]:
    """Relations predicted on gold mentions."""
    rng = random.Random(seed)
    given = []
    for document in documents:
        mentions = document.annotation.mentions
        same = {mention: mention for mention in mentions}
        relations = _blurred(rng, document.annotation, same, list(mentions), noise)
        given.append(replace(document, annotation=Annotation(mentions, relations)))
    return given
