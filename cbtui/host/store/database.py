"""One connection to the store: short transactions that either happened or did not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cbtui.host.store.errors import translating_errors

# Long enough for another process to add 20,000 tasks at once on a slow disk.
BUSY_SECONDS = 10.0

Values = Iterable[Any] | dict[str, Any]


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that exists; nothing is read yet. Raises sqlite3.Error."""
    # Given by address, SQLite opens without creating: a store that vanished does not come back empty.
    connection = sqlite3.connect(path.absolute().as_uri() + "?mode=rw", uri=True, timeout=BUSY_SECONDS)
    # The sqlite3 module would begin transactions by itself, and not with IMMEDIATE.
    connection.isolation_level = None
    connection.row_factory = sqlite3.Row
    return connection


def settle(connection: sqlite3.Connection) -> None:
    """Choose durability for a connection. Raises sqlite3.Error."""
    # A rollback journal that is emptied rather than deleted leaves the folder as it is in every transaction.
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")


class Database:
    """Runs statements. Belongs to the thread that made it; another thread opens its own."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._connection = connection
        self.now = clock

    def read(self, statement: str, values: Values = ()) -> list[sqlite3.Row]:
        """All rows, so that no lock outlives the call. Raises StoreError."""
        with translating_errors():
            return self._connection.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def write(self, statement: str, values: Values = ()) -> int:
        """Returns how many rows changed. To be called inside `writing`. Raises StoreError."""
        with translating_errors():
            return self._connection.execute(statement, values).rowcount  # type: ignore[arg-type]

    def insert(self, statement: str, values: Values) -> int:
        """Returns the new row's number. To be called inside `writing`. Raises StoreError."""
        with translating_errors():
            return int(self._connection.execute(statement, values).lastrowid or 0)  # type: ignore[arg-type]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that alone may write; inside another one, a part of it. Raises StoreError."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction in which several reads see one moment. Raises StoreError."""
        with self._transaction("BEGIN"):
            yield

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        if self._connection.in_transaction:
            yield
            return
        with translating_errors():
            self._connection.execute(begin)
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        # On a full disk SQLite may have rolled back by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def next_changes(self, count: int = 1) -> int:
        """Reserve `count` change numbers; returns the first. To be called inside `writing`."""
        self.write("UPDATE tally SET change = change + ?", (count,))
        return int(self.read("SELECT change FROM tally")[0][0]) - count + 1

    def close(self) -> None:
        self._connection.close()
