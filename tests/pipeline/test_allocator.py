"""Memory that was freed stays with the process: counted in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PAGES = """
import ctypes, resource, sys
from pipeline.allocator import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    print(-1)
    raise SystemExit
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
def fill():
    block = ctypes.c_void_p(library.malloc(20 << 20))
    library.memset(block, 1, 20 << 20)
    library.free(block)
fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(how: str) -> int:
    command = [sys.executable, "-c", PAGES, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_memory_that_was_freed_is_used_again() -> None:
    kept = pages("keep")
    if kept < 0:
        pytest.skip("not the GNU C library")
    assert kept < 100
    assert pages("leave") > 1000  # each page of it is asked for anew
