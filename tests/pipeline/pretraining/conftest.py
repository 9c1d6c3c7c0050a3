"""A small corpus of our own sentences, and settings that train on it within seconds."""

import itertools
import lzma
from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.pretraining.settings import Pretrain

_WHO = ["Die Ministerin", "Der Botschafter", "Die Außenministerin", "Der Präsident", "Die Abgeordnete"]
_DID = ["lobte", "kritisierte", "besuchte", "warnte", "traf"]
_WHOM = ["die Regierung in Kiew", "den Kanzler", "die EU-Kommission", "den Verband", "die Türkei"]
_WHEN = ["am Montag", "im März 2014", "„gestern“", "für 50 €", "über Straßen"]


def sentences() -> list[str]:
    return [f"{' '.join(parts)}." for parts in itertools.product(_WHO, _DID, _WHEN, _WHOM)]


def write(path: Path, documents: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.write("\n\n".join("\n".join(paragraphs) for paragraphs in documents) + "\n")


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Two sources: 100 documents of five sentences, and 25 of them once more."""
    lines = sentences()
    documents = [lines[start : start + 5] for start in range(0, 500, 5)]
    write(tmp_path / "corpora/text/one.txt.xz", documents)
    write(tmp_path / "corpora/text/two.txt.xz", [list(reversed(part)) for part in documents[:25]])
    return tmp_path / "corpora"


def tiny(corpora: Path, output: Path, *overrides: str) -> Pretrain:
    settings = load(
        "pretrain",
        Pretrain,
        [
            f"corpora={corpora}",
            f"output={output}",
            "vocabulary=500",
            "held_out=0.1",
            "budget_steps=6",
            "objective.rows=4",
            "objective.width=16",
            "objective.candidates=50",
            "encoder.layers=1",
            "encoder.width=16",
            "encoder.heads=2",
            "encoder.inner=16",
            "encoder.length=32",
            "vectors.contexts=40",
            "precision=no",
            "compile=false",
            "evaluation_rows=8",
            *overrides,
        ],
    )
    settings.sources = {"one": 1.0, "two": 0.5}
    return settings
