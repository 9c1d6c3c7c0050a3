"""The names of the files in a model's folder."""

from __future__ import annotations

from pathlib import Path

EMBEDDED = Path(__file__).resolve().parent / "embedded"
CARD = "depesche.json"
SUMS = "SHA256SUMS"
HEADS = "heads.safetensors"
