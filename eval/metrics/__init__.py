"""One function per question, one table of them. A new metric is a line in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from annotations import scheme
from annotations.views import PLOVER_TYPES, VIEWS
from eval.align import Pair
from eval.counts import Counts
from eval.metrics import mentions, relations, views

ALL_ENTITIES = {"all": scheme.ENTITY_LABELS}


@dataclass(frozen=True, slots=True)
class Metric:
    """A question put to a pair of documents; the answers of several documents add up, label by label."""

    title: str
    count: Callable[[Pair], dict[str, Counts]]
    groups: Mapping[str, tuple[str, ...]]  # the labels that are summed under a name; "all" is the whole
    given: bool = False  # whether it reads the prediction on gold mentions
    by_label: bool = True  # whether a label's own precision says something
    view: str = "none"

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that may occur in its tallies, in the order of the scheme."""
        return self.groups["all"]


_SPANS = {
    "strict": (mentions.strict, "span and label"),
    "boundaries": (mentions.boundaries, "span"),
    "overlap": (mentions.overlap, "span, an overlap counts half"),
    "type": (mentions.type_, "label on overlapping spans"),
}
_ATTRIBUTES = {"modality": ("modality",), "joint": relations.ATTRIBUTES}
_ALSO = {"modality": "with modality", "joint": "everything right"}


def _view_labels(name: str, kind: str) -> dict[str, tuple[str, ...]]:
    labels = VIEWS[name].mentions if kind == "mentions" else VIEWS[name].relations
    return {"all": tuple(dict.fromkeys(labels.values()))}


def _coarse_groups() -> dict[str, tuple[str, ...]]:
    names = VIEWS["backoff"].relations
    return {
        group: tuple(dict.fromkeys(names[label] for label in labels))
        for group, labels in relations.GROUPS.items()
    }


METRICS: dict[str, Metric] = {
    **{
        f"mentions.{name}.{layer}": Metric(
            f"mentions, {title}, {layer}" if layer != "both" else f"mentions, {title}",
            mentions.on_layer(count, layer, apart=name in {"overlap", "type"}),
            ALL_ENTITIES,
            by_label=name in {"strict", "type"},
        )
        for name, (count, title) in _SPANS.items()
        for layer in mentions.LAYERS
    },
    **{
        f"relations.{name}": Metric(
            f"relations, {mode.title}", relations.found(mode), relations.GROUPS, mode.given
        )
        for name, mode in relations.MODES.items()
    },
    **{
        f"relations.{name}.{what}": Metric(
            f"relations, {mode.title}, {_ALSO[what]}",
            relations.with_attributes(mode, attributes),
            relations.GROUPS,
            mode.given,
        )
        for name, mode in relations.MODES.items()
        for what, attributes in _ATTRIBUTES.items()
    },
    "relations.pairs": Metric(
        "relations, gold pairs given", relations.on_gold_pairs, relations.GROUPS, given=True
    ),
    "triples": Metric("triples of names, once a document", views.triples, relations.GROUPS),
    "view.germeval": Metric(
        "mentions as GermEval 2014 names them",
        partial(views.mentions_in_view, name="germeval"),
        _view_labels("germeval", "mentions"),
        view="germeval",
    ),
    "view.conll2003": Metric(
        "mentions as CoNLL-2003 names them",
        partial(views.mentions_in_view, name="conll2003"),
        _view_labels("conll2003", "mentions"),
        view="conll2003",
    ),
    "view.backoff": Metric(
        "relations, end to end, strict, coarse labels",
        partial(views.relations_in_view, name="backoff"),
        _coarse_groups(),
        view="backoff",
    ),
    "view.plover": Metric(
        "PLOVER event records",
        views.events_in_plover,
        {"all": (*dict.fromkeys(PLOVER_TYPES.values()), "AGREE")},
        view="plover",
    ),
}
