"""Files that appear whole or not at all: written beside, fsynced, renamed, and the folder fsynced."""

from __future__ import annotations

import filecmp
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path, *, keep_equal: bool = False) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends well, and vanishes when it does not.

    `keep_equal` leaves a file that is there untouched when the new one would hold the same bytes.
    The temporary name starts with a dot and ends with `.part`, so no watcher takes it for a finished file.
    Raises OSError naming `path`, with nothing left behind, e.g. on a full disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The kernel caps a name at 255 bytes; the final name is not part of the temporary one for that reason.
    beside = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep_equal and path.is_file() and filecmp.cmp(beside, path, shallow=False):
            beside.unlink()
        else:
            beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.filename in {None, str(beside)}:
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Give `path` this content, atomically."""
    with replacing(path) as file:
        file.write(data)


def write_json(path: Path, value: object) -> None:
    """Give `path` this value as indented UTF-8 JSON, atomically."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # A name that is not UTF-8 reaches us as lone surrogates, which JSON can say escaped.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def fsync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
