"""What tells one state of a file from another without reading it."""

from __future__ import annotations

import os
from typing import NamedTuple


class Stamp(NamedTuple):
    """What `stat` says of a file; the same stamp, the same content. Size in bytes, time in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    @classmethod
    def parse(cls, text: str) -> Stamp:
        """The stamp that `str` wrote. Raises ValueError."""
        device, inode, size, mtime_ns = (int(part) for part in text.split(":"))
        return cls(device, inode, size, mtime_ns)

    def __str__(self) -> str:
        return ":".join(map(str, self))
