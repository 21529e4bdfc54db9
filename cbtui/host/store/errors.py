"""What can go wrong with a store, in words of this project: SQLite's errors do not leave the room."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The primary code of an SQLite error is its low byte (sqlite.org/rescode.html).
_PRIMARY_CODE = 0xFF


class StoreError(Exception):
    """The store could not do what was asked; what it held before, it still holds."""


class StoreFull(StoreError):
    """The disk is full. Nothing was written; the store can still be read."""


class StoreBusy(StoreError):
    """Another process kept the store locked past the time allowed. Trying again may help."""


class StoreUnreadable(StoreError):
    """The file is no store of cbtui, or it is damaged."""


class StoreUnavailable(StoreError):
    """The file is missing, or the system does not let us read or write it."""


class StoreTooNew(StoreError):
    """A newer cbtui made this store."""

    def __init__(self, path: Path, version: int, known: int) -> None:
        super().__init__(
            f"{path}: a newer cbtui made this queue (its version is {version}, this cbtui knows up to {known}): "
            "use that cbtui, or give another --state-dir"
        )


class UnknownTask(StoreError):
    """No task has this id."""

    def __init__(self, task: str) -> None:
        super().__init__(f"no task {task!r}")
        self.task = task


class TaskIsRendering(StoreError):
    """A task that is being rendered cannot be removed."""

    def __init__(self, task: str) -> None:
        super().__init__(f"{task!r} is being rendered: cancel it first")
        self.task = task


class OutOfRange(StoreError, ValueError):
    """A number that SQLite cannot hold."""


@contextmanager
def translating_errors() -> Iterator[None]:
    """Turn SQLite's errors into the ones above."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _translate(error) from error


def _translate(error: sqlite3.DatabaseError) -> StoreError:
    # Errors of the sqlite3 module itself, rather than of SQLite, carry no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
    if code == sqlite3.SQLITE_FULL:
        return StoreFull("the disk that holds the queue is full")
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusy("another process keeps the queue locked")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreUnreadable(f"the queue is damaged: {error}")
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}:
        return StoreUnavailable(f"the queue cannot be read or written: {error}")
    return StoreError(str(error))
