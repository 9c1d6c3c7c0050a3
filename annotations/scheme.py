"""The scheme: twelve entity labels, sixteen relation labels, five modalities, and what may join what.

Version 1. Entities follow OntoNotes and ACE 2005, derived adjectives and compounds GermEval 2014, the
static relations ACE, what actors do to each other PLOVER. The manual is annotations/gold/GUIDELINES.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from annotations.document import Mention, Relation

VERSION = 1

ENTITY_LABELS = (
    "PER",
    "GPE",
    "LOC",
    "ORG",
    "MIL",
    "NORP",
    "ROLE",
    "EVENT",
    "TREATY",
    "WEAPON",
    "DATE",
    "QUANT",
)
ACTOR = frozenset({"PER", "GPE", "ORG", "MIL", "NORP", "ROLE"})
PLACE = frozenset({"GPE", "LOC"})
MODALITIES = ("asserted", "reported", "denied", "planned", "hypothetical")


@dataclass(frozen=True, slots=True)
class Signature:
    """Which mentions a relation label may join, and whether the order of the two says nothing."""

    heads: frozenset[str]
    tails: frozenset[str]
    symmetric: bool = False


def _labels(text: str) -> frozenset[str]:
    return frozenset(text.split())


STATIC_RELATIONS: dict[str, Signature] = {
    "HAS_ROLE": Signature(_labels("PER"), _labels("ROLE")),
    "AFFILIATED_WITH": Signature(
        _labels("PER ORG MIL ROLE WEAPON EVENT TREATY GPE LOC"), _labels("GPE NORP ORG MIL")
    ),
    "LOCATED_IN": Signature(_labels("MIL EVENT TREATY PER ROLE ORG LOC GPE WEAPON"), _labels("GPE LOC")),
    "HAS_TIME": Signature(_labels("EVENT TREATY"), _labels("DATE")),
    "HAS_QUANTITY": Signature(_labels("MIL WEAPON EVENT"), _labels("QUANT")),
    "PARTICIPATES_IN": Signature(ACTOR, _labels("EVENT TREATY")),
}
ACTOR_RELATIONS: dict[str, Signature] = {
    "CONSULTS": Signature(ACTOR, ACTOR, symmetric=True),
    "COOPERATES_WITH": Signature(ACTOR, ACTOR, symmetric=True),
    "SUPPORTS": Signature(ACTOR, ACTOR | {"EVENT"}),
    "AIDS": Signature(ACTOR, ACTOR),
    "PROVIDES": Signature(ACTOR, _labels("MIL WEAPON")),
    "FIGHTS": Signature(ACTOR, ACTOR | {"EVENT", "LOC", "WEAPON"}),
    "ACCUSES": Signature(ACTOR, ACTOR | {"EVENT", "TREATY"}),
    "REJECTS": Signature(ACTOR, ACTOR | {"EVENT", "TREATY"}),
    "REQUESTS": Signature(ACTOR, ACTOR),
    "SANCTIONS": Signature(ACTOR, ACTOR),
}
RELATIONS: dict[str, Signature] = STATIC_RELATIONS | ACTOR_RELATIONS
RELATION_LABELS = tuple(RELATIONS)


def allowed(label: str, head: Mention, tail: Mention) -> bool:
    """Whether the relation label may join mentions of these labels, in this order."""
    signature = RELATIONS[label]
    return head.label in signature.heads and tail.label in signature.tails


def is_symmetric(label: str) -> bool:
    """Whether the relation holds in both directions and is stored once."""
    return label in RELATIONS and RELATIONS[label].symmetric


def canonical(relation: Relation) -> Relation:
    """The relation as it is stored: a symmetric one has the earlier mention as its head."""
    if not is_symmetric(relation.label) or relation.head <= relation.tail:
        return relation
    return Relation(
        relation.tail,
        relation.head,
        relation.label,
        modality=relation.modality,
        source=relation.source,
        time=relation.time,
        place=relation.place,
        score=relation.score,
    )
