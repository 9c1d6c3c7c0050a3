"""Memory that was freed stays with the process: counted in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PAGES = """
import ctypes, resource, sys, threading
from pipeline.allocator import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    print(-1)
    raise SystemExit
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
def fill():
    blocks = [ctypes.c_void_p(library.malloc(25 << 20)) for _ in range(4)]
    for block in blocks:
        library.memset(block, 1, 25 << 20)
    for block in blocks:
        library.free(block)
def work():
    fill()
    fill()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    fill()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
if sys.argv[2] == "main":
    work()
else:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


def pages(how: str, where: str) -> int:
    command = [sys.executable, "-c", PAGES, how, where]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_memory_that_was_freed_is_used_again() -> None:
    kept = pages("keep", "main")
    if kept < 0:
        pytest.skip("not the GNU C library")
    assert kept < 100
    assert pages("keep", "thread") < 100
    assert pages("leave", "thread") > 1000  # each page of it is asked for anew
