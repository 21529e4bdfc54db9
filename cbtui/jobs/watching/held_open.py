"""Whether somebody still writes a file: asked of the kernel, in microseconds (6.5 measured)."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time

from cbtui.core.stamp import Stamp


def is_held_open(path: str, stamp: Stamp, *, fresh: float = 2.0) -> bool:
    """Whether a process has `path` open for writing, or has just made it another file than `stamp` says.

    The kernel grants a read lease only on a file that nobody has open for writing (fcntl(2), F_SETLEASE). False where
    it will not say: not on Linux, another user's file, a file system without leases. A file last written more than
    `fresh` seconds ago is not asked about.
    """
    if sys.platform != "linux" or time.time() - stamp.mtime_ns / 1e9 > fresh:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return Stamp.of(os.fstat(descriptor)) != stamp or _has_writer(descriptor)
    finally:
        os.close(descriptor)


def _has_writer(descriptor: int) -> bool:
    import fcntl

    try:
        # Somebody who opens the file in the instant of the lease makes the kernel signal this process. The signal is
        # SIGIO by default, which kills; SIGURG does nothing.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False
