"""What the C library does with memory that is freed: the process keeps it, and it does not fall apart."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_SMALL, _TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = 1, -1, -3, -8  # mallopt's numbers for them
LARGEST = 32 * 1024 * 1024  # bytes: glibc takes no more
_KEPT = 1024 * 1024 * 1024
_TUNABLES = "GLIBC_TUNABLES"
_RESTARTED = "DEPESCHE_RESTARTED"  # glibc takes the other one away from privileged processes


def keep_freed_memory(largest: int = LARGEST) -> bool:
    """Blocks up to so many bytes stay with the process when they are freed. Whether the C library was told.

    Tensors of some megabytes come and go at each step. Given back to the system, each is fetched again
    page by page; kept, those whose sizes vary leave holes between them. All threads share one arena: those
    of their own are given back whatever the threshold. Small blocks join their free neighbours at once.
    C libraries other than glibc are left as they are.
    """
    if not _is_glibc():
        return False
    library = ctypes.CDLL(None)
    told = ((_ARENAS, 1), (_SMALL, 0), (_MMAP_THRESHOLD, largest), (_TRIM_THRESHOLD, _KEPT))
    return sum(int(library.mallopt(what, value)) for what, value in told) == len(told)


def restart_without_thread_caches(commands: Collection[str]) -> None:
    """Start this process anew, told that no thread may keep small freed blocks for itself.

    A tensor is an aligned block, and before it lies a crumb that is freed at once. In a thread's cache, it
    cannot join the free memory around it: crumbs hold apart what would be large, and the process grows with
    the variety of sizes for as long as it runs. glibc is told so in the environment, and only at the start.

    ``commands``: names of modules (``python -m``) and of files of scripts. A process that was started with
    anything else is left alone, or what it has done by now would be done twice; likewise one without glibc,
    one whose user has set GLIBC_TUNABLES, and one that has only been asked for help.
    """
    # What the interpreter was told, not what sys.argv says by now: anybody may set that.
    program, *given = sys.orig_argv[-len(sys.argv) :]
    ours = given == sys.argv[1:] and Path(program).name in commands
    asked = any(argument.startswith("-") for argument in given)
    if not ours or asked or not _is_glibc() or _TUNABLES in os.environ or _RESTARTED in os.environ:
        return
    os.environ |= {_TUNABLES: "glibc.malloc.tcache_count=0", _RESTARTED: "1"}
    sys.stdout.flush()
    sys.stderr.flush()
    with suppress(OSError):  # then it goes on as it is, and grows
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - itself, no shell


def _is_glibc() -> bool:
    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
