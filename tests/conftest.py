"""What many tests share: a tiny model, a few documents, the folder with the articles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from annotations.document import Document
from annotations.formats.inline import parse_inline

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent
ARTICLES = ROOT.parent / "shared" / "articles"

SMALL = """id: klein
language: de
date: 2021-05-04
===
Der [1:NORP litauische] [2:ROLE Präsident] [3:PER Jonas Vaitkus] traf am [4:DATE Montag] in [5:GPE Riga]
[6:PER Ilze Kalna]. Laut [7:ORG Leta] liefert [8:GPE Litauen] [9:QUANT zwölf] [10:WEAPON Haubitzen] an
[11:GPE Lettland]. Der [12:ROLE [13:ORG Kreml]sprecher] wies das zurück: [14:GPE Moskau] greife niemanden an.
===
HAS_ROLE 3 2
AFFILIATED_WITH 3 1
AFFILIATED_WITH 12 13
CONSULTS 3 6 asserted time=4 place=5
AIDS 8 11 reported source=7
PROVIDES 8 10 reported source=7
HAS_QUANTITY 10 9 reported source=7
REJECTS 12 7
"""


@pytest.fixture
def small() -> Document:
    """A document with both layers, relations, sources, times and places."""
    return parse_inline(SMALL, "klein.inline").checked()[0]


@pytest.fixture(scope="session")
def articles() -> Path:
    """The folder with the texts of the five articles."""
    if not ARTICLES.is_dir():
        pytest.skip(f"the articles' texts are not there: {ARTICLES}")
    return ARTICLES
