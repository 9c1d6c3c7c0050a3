"""What the C library does with memory that is freed: it is told to keep it."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8  # mallopt's numbers for them
_LARGEST = 32 * 1024 * 1024  # bytes: glibc takes no more
_KEPT = 1024 * 1024 * 1024


def keep_freed_memory() -> bool:
    """Blocks up to 32 MB stay with the process when they are freed. Whether the C library could be told.

    Tensors of some megabytes come and go at each step. Given back to the system, each is fetched again
    page by page. All threads share one arena: those of their own are given back whatever the threshold.
    C libraries other than glibc are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    told = ((_ARENAS, 1), (_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _KEPT))
    return sum(int(library.mallopt(what, value)) for what, value in told) == len(told)
