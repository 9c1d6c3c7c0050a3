"""Which documents train, stop and test a model: one fold, or one for each article, or a growing share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from annotations.document import Document, text_sha256
from annotations.formats.reading import file_name
from pipeline.config import InputError
from pipeline.corpora import Corpus

SHARES = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Fold:
    """Documents for one model. No text is for testing and for anything else: that is checked."""

    name: str
    train: tuple[Document, ...]
    development: tuple[Document, ...]
    test: tuple[Document, ...]

    def __post_init__(self) -> None:
        test = {text_sha256(document.text): document.id for document in self.test}
        for part in (self.train, self.development):
            leaks = [test[d] for d in (text_sha256(x.text) for x in part) if d in test]
            if leaks:
                raise InputError(
                    f"{', '.join(leaks)}: the same text is for training and for testing; give it to one"
                )

    @property
    def folder(self) -> str:
        """The name as that of a folder: it may be the id of a document, and that may be anything."""
        return file_name(self.name)


Folds = Callable[[dict[str, Corpus], str | None], list[Fold]]


def single(corpora: dict[str, Corpus], left_out: str | None) -> list[Fold]:
    """One model on all training documents, tested on all test documents."""
    whole = sum(corpora.values(), Corpus())
    return [Fold("all", whole.train, whole.development, whole.test)]


def leave_one_out(corpora: dict[str, Corpus], left_out: str | None) -> list[Fold]:
    """For each document of one corpus a model that has seen all others: of it, and of the other corpora."""
    corpus = _left_out(corpora, left_out)
    rest = sum((c for name, c in corpora.items() if name != left_out), Corpus())
    documents = corpus.train + corpus.development + corpus.test
    return [
        Fold(
            document.id,
            rest.train + tuple(other for other in documents if other is not document),
            rest.development,
            (document,),
        )
        for document in documents
    ]


def learning_curve(corpora: dict[str, Corpus], left_out: str | None) -> list[Fold]:
    """Models on 10, 25, 50 and 100 % of the training documents; each share holds the smaller ones."""
    whole = sum(corpora.values(), Corpus())
    order = np.random.default_rng(0).permutation(len(whole.train)).tolist()
    folds = []
    for share in SHARES:
        chosen = sorted(order[: max(1, round(share * len(order)))])
        train = tuple(whole.train[number] for number in chosen)
        folds.append(Fold(f"{share:.0%}", train, whole.development, whole.test))
    return folds


def _left_out(corpora: dict[str, Corpus], left_out: str | None) -> Corpus:
    if left_out not in corpora:
        raise InputError(f"leave_out={left_out}: expected one of the corpora {', '.join(corpora)}")
    return corpora[left_out]


PROTOCOLS: dict[str, Folds] = {
    "single": single,
    "leave_one_out": leave_one_out,
    "learning_curve": learning_curve,
}


def joined(folds: Sequence[Fold]) -> bool:
    """Whether the test documents of the folds differ, so that their predictions make one corpus."""
    ids = [document.id for fold in folds for document in fold.test]
    return len(ids) == len(set(ids))
