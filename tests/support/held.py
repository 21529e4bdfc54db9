"""What a process holds, for tests that let it run for long."""

from __future__ import annotations

import ctypes
import gc
import sys

import psutil


def held() -> tuple[int, int]:
    """Python objects, and bytes of RSS: without garbage, and without what the C library keeps for later.

    How much it keeps depends on how many threads met in it, and comes in steps of 2 MiB where pages are that large.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
    return sys.getallocatedblocks(), psutil.Process().memory_info().rss
