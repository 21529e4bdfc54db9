"""What a person is told when a file cannot be written."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@contextlib.contextmanager
def explaining_failure(path: Path, size: int) -> Iterator[None]:
    """Let every OSError of writing `size` bytes to `path` name a path, and a full disk the bytes needed and free.

    The errno is ENOSPC for a full disk and for a used-up quota alike, and otherwise what it was.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            # The half-written file is gone by now, so this is what a new attempt would find.
            free = shutil.disk_usage(path.parent).free
            cause = "the disk quota is used up" if error.errno == errno.EDQUOT else "no space left on the disk"
            reason = f"{cause}: {size} bytes are needed, {free} are free"
            raise OSError(errno.ENOSPC, reason, str(path)) from error
        if error.filename in {None, str(path)}:
            reason = f"{error.strerror or error} ({size} bytes were to be written)"
            raise OSError(error.errno, reason, str(path)) from error
        raise
