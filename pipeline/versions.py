"""What a run was made with: versions and hashes for the manifest."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

_PACKAGES = ("depesche", "torch", "transformers", "tokenizers", "accelerate", "numpy", "sentencex")


def installed() -> dict[str, str]:
    """Versions of Python and of the libraries that touch the result."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hashes(path: Path) -> dict[str, str]:
    """The SHA-256 of a file, or of each file of a folder, by name."""
    files = sorted(f for f in path.iterdir() if f.is_file()) if path.is_dir() else [path]
    return {file.name: file_sha256(file) for file in files}


def fingerprint(value: Any) -> str:
    """SHA-256 of a value's representation: equal for equal dataclasses of plain values."""
    return hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).hexdigest()


def to_json(record: dict[str, Any]) -> bytes:
    """A record as indented JSON with a newline at its end."""
    text = json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n"
    return text.encode("utf-8", "backslashreplace")  # the name of a file may be any bytes
