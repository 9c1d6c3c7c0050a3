"""What a number was measured on and how: scores with different signatures are not compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from annotations import scheme
from annotations.document import Document, Mention, text_sha256
from eval.align import reading

VERSION = 1  # of the judge; a change that could change a score raises it


@dataclass(frozen=True, slots=True)
class Signature:
    """Everything that a score depends on besides the prediction."""

    corpus: str  # fingerprint of the gold documents that were scored
    documents: int
    split: str = "all"
    limit: int | None = None  # None: all documents
    metric: str = "all"
    mode: str = "spans"
    view: str = "none"
    scheme: int = scheme.VERSION
    version: int = VERSION

    def __str__(self) -> str:
        limit = "none" if self.limit is None else self.limit
        fields = {**asdict(self), "limit": limit}
        order = ["metric", "mode", "view", "scheme", "corpus", "split", "documents", "limit", "version"]
        return "depesche|" + "|".join(f"{name}:{fields[name]}" for name in order)

    def of(self, metric: str, view: str = "none") -> Signature:
        """The signature of one metric's score."""
        return replace(self, metric=metric, view=view)

    def differences(self, other: Signature) -> list[str]:
        """Why the two are not comparable: one phrase for each field; empty where they are."""
        ours, theirs = asdict(self), asdict(other)
        return [f"{name}: {ours[name]} and {theirs[name]}" for name in ours if ours[name] != theirs[name]]


def fingerprint(documents: Sequence[Document]) -> str:
    """Twelve hexadecimal digits that change when a text or anything of its gold annotation does."""
    rows = []
    for document in sorted(documents, key=lambda d: d.id):
        annotation = reading(document)
        mentions = [(m.start, m.end, m.label) for m in sorted(annotation.mentions)]
        relations = [
            (_ends(r.head), _ends(r.tail), r.label, r.modality, *map(_ends, (r.source, r.time, r.place)))
            for r in sorted(map(scheme.canonical, annotation.relations))
        ]
        rows.append(repr((document.id, text_sha256(document.text), mentions, relations)))
    return hashlib.sha256("\n".join(rows).encode("utf-8")).hexdigest()[:12]


def _ends(mention: Mention | None) -> tuple[int, int, str] | None:
    return None if mention is None else (mention.start, mention.end, mention.label)
