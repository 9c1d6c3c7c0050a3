"""Views onto other schemes: what of an annotation GermEval 2014, CoNLL-2003 and PLOVER would mark.

A view keeps what the two schemes mean alike and leaves the rest out, and says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from annotations import scheme
from annotations.document import Annotation, Mention, Relation


@dataclass(frozen=True, slots=True)
class View:
    """How labels are called in another scheme. A label that is not in the map is left out."""

    mentions: Mapping[str, str] = field(default_factory=dict)
    relations: Mapping[str, str] = field(default_factory=dict)
    outer_only: bool = False

    @property
    def left_out(self) -> tuple[str, ...]:
        """The labels of the scheme that the view does not show, entities first."""
        entities = (label for label in scheme.ENTITY_LABELS if label not in self.mentions)
        relations = (label for label in scheme.RELATION_LABELS if label not in self.relations)
        return (*entities, *relations)


_SAME_ENTITIES = {label: label for label in scheme.ENTITY_LABELS}
_SAME_RELATIONS = {label: label for label in scheme.RELATION_LABELS}
VIEWS: dict[str, View] = {
    "germeval": View({"PER": "PER", "GPE": "LOC", "LOC": "LOC", "NORP": "LOCderiv"}),
    "conll2003": View({"PER": "PER", "GPE": "LOC", "LOC": "LOC"}, outer_only=True),
    "backoff": View(
        _SAME_ENTITIES,
        _SAME_RELATIONS
        | dict.fromkeys(("AIDS", "PROVIDES", "SUPPORTS"), "HELPS")
        | dict.fromkeys(("ACCUSES", "REJECTS", "REQUESTS", "SANCTIONS"), "OPPOSES"),
    ),
}


def seen_as(annotation: Annotation, view: View) -> Annotation:
    """The annotation with the labels of the view; relations whose mentions are left out go with them."""
    shown = annotation.layers()[0] if view.outer_only else annotation.mentions
    names = {m: replace(m, label=view.mentions[m.label]) for m in shown if m.label in view.mentions}
    relations = {_renamed(r, names, view) for r in annotation.relations if _is_shown(r, names, view)}
    return Annotation(tuple(sorted(set(names.values()))), tuple(sorted(relations)))


def _is_shown(relation: Relation, names: Mapping[Mention, Mention], view: View) -> bool:
    return relation.label in view.relations and relation.head in names and relation.tail in names


def _renamed(relation: Relation, names: Mapping[Mention, Mention], view: View) -> Relation:
    return replace(
        relation,
        head=names[relation.head],
        tail=names[relation.tail],
        label=view.relations[relation.label],
        source=names.get(relation.source) if relation.source else None,
        time=names.get(relation.time) if relation.time else None,
        place=names.get(relation.place) if relation.place else None,
    )


PLOVER_TYPES = {
    "CONSULTS": "CONSULT",
    "COOPERATES_WITH": "COOPERATE",
    "SUPPORTS": "SUPPORT",
    "AIDS": "AID",
    "FIGHTS": "ASSAULT",
    "ACCUSES": "ACCUSE",
    "REJECTS": "REJECT",
    "REQUESTS": "REQUEST",
    "SANCTIONS": "SANCTION",
}
_AGREED = frozenset({"CONSULTS", "SUPPORTS", "AIDS", "COOPERATES_WITH"})


@dataclass(frozen=True, slots=True)
class Event:
    """A PLOVER event record: who did what to whom. A material theme stands on an AID alone.

    ``target`` is None where something was provided and the text names no recipient.
    """

    type: str
    source: Mention
    target: Mention | None
    negated: bool = False
    themes: tuple[Mention, ...] = field(default=(), compare=False)
    time: Mention | None = field(default=None, compare=False)
    place: Mention | None = field(default=None, compare=False)


def plover_events(annotation: Annotation) -> tuple[Event, ...]:
    """The relations between actors as PLOVER event records, each once, in order of the text."""
    themes: dict[Mention, list[Relation]] = {}
    for relation in annotation.relations:
        if relation.label == "PROVIDES":
            themes.setdefault(relation.head, []).append(relation)
    events: dict[Event, None] = {}
    aiding: set[Mention] = set()
    for relation in sorted(map(scheme.canonical, annotation.relations)):
        if relation.label in PLOVER_TYPES and relation.tail.label in scheme.ACTOR:
            aids = relation.label == "AIDS"
            aiding.update({relation.head} if aids else ())
            event = _event(relation, relation.tail, themes.get(relation.head, []) if aids else [])
            events.setdefault(event)
    for head in sorted(themes.keys() - aiding):
        for relation in sorted(themes[head]):
            events.setdefault(_event(relation, None, [relation]))
    return tuple(events)


def _event(relation: Relation, target: Mention | None, themes: list[Relation]) -> Event:
    aid = relation.label == "PROVIDES"
    agreed = relation.modality == "planned" and (aid or relation.label in _AGREED)
    return Event(
        type="AGREE" if agreed else "AID" if aid else PLOVER_TYPES[relation.label],
        source=relation.head,
        target=target,
        negated=relation.modality == "denied",
        themes=tuple(sorted({theme.tail for theme in themes})),
        time=relation.time,
        place=relation.place,
    )
