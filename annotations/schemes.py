"""The label sets of all schemes that documents may be annotated in: ours, and those of other corpora."""

from __future__ import annotations

from collections.abc import Iterator

from annotations import scheme
from annotations.document import Document
from annotations.formats.reading import Place
from annotations.problems import Problem

OWN = "depesche"

LABELS: dict[str, tuple[str, ...]] = {
    OWN: scheme.ENTITY_LABELS,
    # Benikova et al. 2014; -deriv is an adjective of a name, -part a compound with one.
    "germeval": tuple(kind + form for kind in ("PER", "LOC", "ORG", "OTH") for form in ("", "deriv", "part")),
    "smartdata": (  # Schiersch et al. 2018
        "date",
        "disaster-type",
        "distance",
        "duration",
        "location",
        "location-city",
        "location-route",
        "location-stop",
        "location-street",
        "number",
        "org-position",
        "organization",
        "organization-company",
        "person",
        "time",
        "trigger",
    ),
    "timex": ("TIMEX",),  # TIMEX2 without its types and values
}
NESTED = frozenset({OWN, "germeval"})  # schemes with an inner layer


def check_labels(document: Document, name: str, place: Place) -> Iterator[Problem]:
    """A problem for each label that the scheme does not have: all that is asked of a foreign corpus."""
    mentions = document.annotation.mentions if document.annotation else ()
    for label in sorted({mention.label for mention in mentions} - set(LABELS[name])):
        what = f"{document.id}: {label!r} is no label of the scheme {name}"
        yield place.problem(what, f"Use one of {', '.join(LABELS[name])}.")
