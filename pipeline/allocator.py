"""What the C library does with memory that is freed: it is told to keep it."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt's numbers for them
_LARGEST = 32 * 1024 * 1024  # bytes: glibc takes no more
_KEPT = 1024 * 1024 * 1024


def keep_freed_memory() -> bool:
    """Blocks up to 32 MB stay with the process when they are freed. Whether the C library could be told.

    Tensors of some megabytes come and go at each step. Given back to the system, each is fetched again
    page by page. C libraries other than glibc are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(library.mallopt(_MMAP_THRESHOLD, _LARGEST) and library.mallopt(_TRIM_THRESHOLD, _KEPT))
