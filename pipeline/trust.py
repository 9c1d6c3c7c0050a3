"""No code but that of the installed libraries: what a folder of weights must not ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.config import InputError

# Keys by which a configuration could make the library run or fetch code.
_FORBIDDEN = ("auto_map", "_attn_implementation_internal", "trust_remote_code", "_target_")


def refuse_code(folder: Path) -> None:
    """Raises InputError for a folder whose configuration names code of its own."""
    for file in sorted(folder.glob("*.json")):
        if file.name == "tokenizer.json":
            continue  # data of the Rust tokenizer: it names no code
        found = sorted(_forbidden_keys(json.loads(file.read_text("utf-8"))))
        if found:
            raise InputError(
                f"{file}: holds {', '.join(found)}, by which a checkpoint could run code of its own; "
                "remove the key if you trust the weights without it"
            )


def _forbidden_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        here = {key for key in value if key in _FORBIDDEN}
        return here.union(*(_forbidden_keys(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_forbidden_keys(item) for item in value))
    return set()
