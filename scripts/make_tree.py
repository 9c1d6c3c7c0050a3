"""Write the list of files in the README anew from the first line of each file's docstring."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("annotations", "pipeline", "eval", "scripts")
START, END = "<!-- files -->", "<!-- end of files -->"


def lines() -> list[str]:
    """A line a file, a heading a folder."""
    found: list[str] = []
    for folder in FOLDERS:
        files = sorted((ROOT / folder).rglob("*.py"), key=lambda f: (f.parent.as_posix(), f.name))
        for file in files:
            document = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
            first = document.splitlines()[0] if document else ""
            name = file.relative_to(ROOT).as_posix()
            found.append(f"| `{name}` | {first.replace('|', chr(92) + '|')} |")
    return found


def renewed(readme: str) -> str:
    """The README with its list of files replaced."""
    before, _, rest = readme.partition(START)
    _, _, after = rest.partition(END)
    table = "\n".join(["| file | what it is |", "|---|---|", *lines()])
    return f"{before}{START}\n{table}\n{END}{after}"


def main() -> int:
    """Rewrite the README; with --check, only say whether it is up to date."""
    path = ROOT / "README.md"
    readme = path.read_text("utf-8")
    if "--check" in sys.argv:
        return int(renewed(readme) != readme)
    path.write_text(renewed(readme), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
