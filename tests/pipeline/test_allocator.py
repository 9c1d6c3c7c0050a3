"""Memory that was freed stays with the process: counted in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PAGES = """
import ctypes, resource, sys, threading
from pipeline.allocator import keep_freed_memory
if sys.argv[1] == "small":
    keep_freed_memory(1 << 20)
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
    assert pages("keep", "main") < 100
    assert pages("keep", "thread") < 100
    assert pages("small", "main") > 1000  # larger ones are given back
    assert pages("leave", "thread") > 1000  # each page of it is asked for anew


COMMAND = """
import os, sys
from pipeline.allocator import restart_without_thread_caches
print("begun", flush=True)
restart_without_thread_caches(("reader.py",))
print(os.environ.get("GLIBC_TUNABLES"), *sys.argv[1:])
"""
TOLD = "glibc.malloc.tcache_count=0"


@pytest.fixture(autouse=True)
def glibc() -> None:
    if pages("keep", "main") < 0:
        pytest.skip("not the GNU C library")


def started(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    ours = ("GLIBC_TUNABLES", "DEPESCHE_RESTARTED")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, *command], check=False, capture_output=True, text=True, env=environment
    )


def lines(script: Path, *arguments: str, **variables: str) -> list[str]:
    script.write_text(COMMAND, encoding="utf-8")
    return started([str(script), *arguments], **variables).stdout.splitlines()


def test_a_command_starts_anew_once_with_its_arguments(tmp_path: Path) -> None:
    said = lines(tmp_path / "reader.py", "ein Wort", "zwei")
    assert said == ["begun", "begun", f"{TOLD} ein Wort zwei"]


def test_what_the_user_told_the_c_library_holds(tmp_path: Path) -> None:
    said = lines(tmp_path / "reader.py", "zwei", GLIBC_TUNABLES="glibc.malloc.mxfast=0")
    assert said == ["begun", "glibc.malloc.mxfast=0 zwei"]


def test_where_the_c_library_does_not_listen_it_starts_anew_only_once(tmp_path: Path) -> None:
    assert lines(tmp_path / "reader.py", DEPESCHE_RESTARTED="1") == ["begun", "None"]


def test_a_call_for_help_starts_nothing_anew(tmp_path: Path) -> None:
    assert lines(tmp_path / "reader.py", "--help") == ["begun", "None --help"]


def test_a_script_of_somebody_else_is_not_run_twice(tmp_path: Path) -> None:
    assert lines(tmp_path / "other.py") == ["begun", "None"]
    posing = f"import sys; sys.argv = ['reader.py', 'zwei']{COMMAND}"
    assert started(["-c", posing, "zwei"]).stdout.splitlines() == ["begun", "None zwei"]


def test_reading_starts_anew(tmp_path: Path) -> None:
    site = "import os, sys\nprint('start', os.environ.get('GLIBC_TUNABLES'), file=sys.stderr)\n"
    (tmp_path / "sitecustomize.py").write_text(site, encoding="utf-8")
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = started(["-m", "pipeline.run", "typo=1"], PYTHONPATH=path)
    assert [line for line in done.stderr.splitlines() if line.startswith("start")] == [
        "start None",
        f"start {TOLD}",
    ]
    assert done.returncode == 2
