"""The order of the house: who may import whom, how long a file may be, what the README must list."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {"annotations": set(), "eval": {"annotations"}, "pipeline": {"annotations", "eval"}}
OURS = {"annotations", "eval", "pipeline", "scripts", "tests"}
# The stages and their scoring: nothing beneath them knows that there is a judge.
MAY_JUDGE = {"run.py", "train.py", "scoring.py", "fitting.py", "germeval.py"}
SOURCES = [path for folder in MAY_IMPORT for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    found = set(imported(path))
    assert found & OURS <= MAY_IMPORT[package] | {package}
    if package == "eval":
        assert not found & {"torch", "transformers"}
    if package == "pipeline" and "eval" in found:
        assert path.name in MAY_JUDGE


def test_files_and_functions_stay_short() -> None:
    long = []
    for path in SOURCES:
        source = path.read_text("utf-8")
        if source.count("\n") > 300:
            long.append(f"{path}: {source.count(chr(10))} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > 50:
                    long.append(f"{path}:{node.name}: {length} lines")
                count = len(node.args.args) + len(node.args.posonlyargs)
                count -= bool(node.args.args) and node.args.args[0].arg in {"self", "cls"}
                if count > 6:
                    long.append(f"{path}:{node.name}: {count} arguments")
    assert not long, "\n".join(long)


def test_importing_does_nothing() -> None:
    for package in MAY_IMPORT:
        for path in sorted((ROOT / package).rglob("*.py")):
            body = ast.parse(path.read_text("utf-8")).body
            calls = [node for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
            assert not calls, path


def test_the_readme_lists_every_file() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "make_tree.py", "--check"], check=False)
    assert done.returncode == 0, "run python scripts/make_tree.py"


def test_there_is_one_door_for_weights_and_none_for_pickles() -> None:
    forbidden = re.compile(
        r"\b(?:import (?:pickle|dill|joblib)|torch\.load|allow_pickle=True|(?<!\.)eval\(|(?<!\.)exec\()"
    )
    for path in SOURCES:
        found = [m.group() for m in forbidden.finditer(path.read_text("utf-8"))]
        assert not found, f"{path}: {found}"


def test_console_scripts_exist() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    for module, function in re.findall(r'^depesche-\w+ = "([\w.]+):(\w+)"$', text, re.MULTILINE):
        path = ROOT / (module.replace(".", "/") + ".py")
        assert f"def {function}(" in path.read_text("utf-8"), module
