"""What is wrong with a file: where, what, what was expected, what to do. All at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one line of one file.

    A hint is something that looks forgotten; it does not make the file unreadable.
    """

    path: str
    line: int
    what: str
    remedy: str = ""
    hint: bool = False

    def __str__(self) -> str:
        kind = " hint:" if self.hint else ""
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.path}:{self.line}:{kind} {self.what}.{remedy}"


class CorpusError(ValueError):
    """A corpus that cannot be used, with every problem that was found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(str(problem) for problem in problems)
        super().__init__(f"{len(problems)} problem(s):\n{lines}")
