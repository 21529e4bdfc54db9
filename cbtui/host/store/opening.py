"""Finding, making and opening the store of a jobs directory. What cannot be read is set aside, never overwritten."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cbtui.atomic import fsync_folder
from cbtui.host.store.cache_events import CacheEvents
from cbtui.host.store.commands import Commands
from cbtui.host.store.database import Database, connect, settle
from cbtui.host.store.errors import StoreTooNew, StoreUnavailable, StoreUnreadable, translating_errors
from cbtui.host.store.files import Files
from cbtui.host.store.meta import Meta
from cbtui.host.store.order import Order
from cbtui.host.store.queue import Queue
from cbtui.host.store.schema import MIGRATIONS, is_ours, migrate, read_version
from cbtui.host.store.tasks import Tasks
from cbtui.host.store.work import Work
from cbtui.paths import Places


class Store:
    """The durable queue of one jobs directory. Belongs to the thread that opened it."""

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self._database = database
        self.order = Order(database)
        self.tasks = Tasks(database)
        self.files = Files(database, self.order, self.tasks)
        self.queue = Queue(database)
        self.commands = Commands(database)
        self.cache_events = CacheEvents(database)
        self.meta = Meta(database)
        self.work = Work(database)

    def transaction(self) -> AbstractContextManager[None]:
        """Several changes that happen together or not at all. Raises StoreBusy and StoreFull."""
        return self._database.writing()

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Opened:
    """A store, and where the unreadable one was put that stood in its place."""

    store: Store
    set_aside: Path | None = None


def store_path(places: Places) -> Path:
    """Where the queue of this jobs directory lies, however the directory is called."""
    name = hashlib.sha256(os.fsencode(places.jobs.resolve())).hexdigest()[:16]
    return places.state / f"queue-{name}.sqlite"


def open_store(path: Path, *, clock: Callable[[], float] = time.time) -> Opened:
    """For the host: open the store, check it, bring it up to date, or make a new one.

    Raises StoreTooNew, StoreBusy, StoreFull and StoreUnavailable.
    """
    set_aside = None
    with _alone(path):
        try:
            database = _open_checked(path, clock)
        except StoreUnreadable:
            set_aside = _set_aside(path, clock)
            database = _open_checked(path, clock)
    return Opened(Store(path, database), set_aside)


def attach_store(path: Path, *, clock: Callable[[], float] = time.time) -> Store:
    """For viewers: open a store that is there and of today, and change nothing about it.

    Raises StoreUnavailable, StoreUnreadable (also for an old one, which its host has yet to update), StoreTooNew.
    """
    with translating_errors():
        connection = connect(path)
        with _closing_on_error(connection):
            _refuse_newer(path, connection)
            if not is_ours(connection) or read_version(connection) < len(MIGRATIONS):
                raise StoreUnreadable(f"{path}: not a queue of this cbtui")
            settle(connection)
    return Store(path, Database(connection, clock))


def _open_checked(path: Path, clock: Callable[[], float]) -> Database:
    """A sound store of today; an empty or missing file becomes one."""
    # Made by us before SQLite gets to it: its journal inherits the permissions.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
    with translating_errors():
        connection = connect(path)
        with _closing_on_error(connection):
            _refuse_newer(path, connection)
            if not is_ours(connection):
                raise StoreUnreadable(f"{path}: not a queue of cbtui")
            _check_pages(path, connection)
            settle(connection)
            database = Database(connection, clock)
            if read_version(connection) < len(MIGRATIONS):
                with database.writing():
                    migrate(connection, MIGRATIONS)
    return database


def _refuse_newer(path: Path, connection: sqlite3.Connection) -> None:
    version = read_version(connection)
    if is_ours(connection) and version > len(MIGRATIONS):
        raise StoreTooNew(path, version, len(MIGRATIONS))


def _check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Damage found at the start can be set aside; found later, it would end the host again and again."""
    finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise StoreUnreadable(f"{path}: {finding}")


def _set_aside(path: Path, clock: Callable[[], float]) -> Path:
    """Give an unreadable store another name. Raises StoreUnavailable."""
    moment = clock()
    while True:
        stamp = datetime.fromtimestamp(moment).strftime("%Y%m%d-%H%M%S")
        aside = path.with_name(f"{path.name}.unreadable-{stamp}")
        if not aside.exists():
            break
        moment += 1
    try:
        # The journal goes first: left behind, it would be played into the new store.
        for suffix in ("-journal", ""):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.rename(aside.with_name(aside.name + suffix))
        fsync_folder(path.parent)
    except OSError as error:
        raise StoreUnavailable(f"{path}: is unreadable and cannot be set aside: {error.strerror}") from error
    return aside


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep two processes from making or setting aside one store at the same time. Raises StoreUnavailable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("w")
    except OSError as error:
        raise StoreUnavailable(f"{path.parent}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _closing_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise
