"""Opening a store: made when missing, set aside when unreadable, refused when too new, updated when old."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cbtui.host.store import (
    StoreBusy,
    StoreFull,
    StoreTooNew,
    StoreUnavailable,
    StoreUnreadable,
    attach_store,
    open_store,
    opening,
    store_path,
)
from cbtui.host.store.schema import APPLICATION_ID, MIGRATIONS
from cbtui.paths import Places
from tests.host.store.conftest import NOON
from tests.host.store.helpers import found, names, put

ADD_A_COLUMN = (*MIGRATIONS, ("ALTER TABLE tasks ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'",))


def fill(path: Path, tasks: int = 3) -> None:
    with open_store(path).store as store:
        put(store, *(f"book/{number}" for number in range(tasks)))


def write_garbage(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to have a header" * 100)


def cut_in_half(path: Path) -> None:
    fill(path, tasks=500)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_in_the_header(path: Path) -> None:
    fill(path)
    path.write_bytes(path.read_bytes()[:50])


def damage_the_middle(path: Path) -> None:
    fill(path, tasks=500)
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xa5" * (len(content) - 4096 * 3)
    path.write_bytes(content)


def make_foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.execute("PRAGMA application_id = 42")
    connection.close()


UNREADABLE = [write_garbage, cut_in_half, cut_in_the_header, damage_the_middle, make_foreign_database]


def test_a_missing_store_is_made(path: Path) -> None:
    opened = open_store(path)
    assert opened.set_aside is None
    assert names(opened.store) == []
    opened.store.close()
    assert path.stat().st_mode & 0o077 == 0


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    opened = open_store(path)
    assert opened.set_aside is None
    opened.store.close()


def test_a_store_keeps_what_was_put_into_it(path: Path) -> None:
    fill(path)
    opened = open_store(path)
    with opened.store as store:
        assert names(store) == ["0", "1", "2"]
    assert opened.set_aside is None


@pytest.mark.parametrize("spoil", UNREADABLE)
def test_an_unreadable_store_is_set_aside_unchanged_and_a_new_one_made(path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()
    opened = open_store(path, clock=lambda: NOON)
    with opened.store as store:
        assert names(store) == []
    stamp = datetime.fromtimestamp(NOON).strftime("%Y%m%d-%H%M%S")
    assert opened.set_aside == path.with_name(f"queue.sqlite.unreadable-{stamp}")
    assert opened.set_aside.read_bytes() == content


def test_a_store_set_aside_before_is_not_overwritten(path: Path) -> None:
    path.parent.mkdir()
    aside = []
    for _ in range(2):
        write_garbage(path)
        opened = open_store(path, clock=lambda: NOON)
        opened.store.close()
        aside.append(opened.set_aside)
    assert len(set(aside)) == 2
    assert all(each and each.exists() for each in aside)


def test_no_journal_of_an_unreadable_store_is_played_into_the_new_one(path: Path) -> None:
    path.parent.mkdir()
    write_garbage(path)
    journal = path.with_name("queue.sqlite-journal")
    journal.write_bytes(b"half a journal")
    fill(path)
    assert not journal.exists() or journal.stat().st_size == 0
    opened = open_store(path)
    with opened.store as store:
        assert names(store) == ["0", "1", "2"]
    assert opened.set_aside is None


@pytest.mark.parametrize("spoil", UNREADABLE)
def test_a_viewer_leaves_an_unreadable_store_where_it_is(path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    path.parent.mkdir()
    spoil(path)
    content = path.read_bytes()
    with pytest.raises(StoreUnreadable), attach_store(path) as store:
        store.queue.page(limit=1000)
    assert path.read_bytes() == content
    assert [entry.name for entry in path.parent.glob("*unreadable*")] == []


def test_a_viewer_makes_no_store(path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        attach_store(path)
    assert not path.exists()


@pytest.mark.parametrize("opener", [open_store, attach_store])
def test_a_store_of_a_newer_cbtui_is_refused_and_left_alone(path: Path, opener) -> None:  # type: ignore[no-untyped-def]
    fill(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer cbtui"):
        opener(path)
    assert path.read_bytes() == content


def test_an_old_store_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    monkeypatch.setattr(opening, "MIGRATIONS", ADD_A_COLUMN)
    with open_store(path).store as store:
        assert names(store) == ["0", "1", "2"]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT DISTINCT mood FROM tasks").fetchall() == [("calm",)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(ADD_A_COLUMN),)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


def test_a_migration_that_fails_leaves_the_old_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    monkeypatch.setattr(opening, "MIGRATIONS", (*ADD_A_COLUMN[:-1], (*ADD_A_COLUMN[-1], "NONSENSE")))
    with pytest.raises(Exception, match="NONSENSE"):
        open_store(path)
    monkeypatch.undo()
    with open_store(path).store as store:
        assert names(store) == ["0", "1", "2"]


def test_a_viewer_does_not_update_an_old_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    monkeypatch.setattr(opening, "MIGRATIONS", ADD_A_COLUMN)
    with pytest.raises(StoreUnreadable):
        attach_store(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        open_store(tmp_path / "file" / "state" / "queue.sqlite")


def test_each_jobs_directory_has_its_own_store_whatever_it_is_called(places: Places, tmp_path: Path) -> None:
    places.jobs.mkdir()
    link = tmp_path / "link"
    link.symlink_to(places.jobs)
    assert store_path(replace(places, jobs=link)) == store_path(places)
    assert store_path(replace(places, jobs=tmp_path / "others")) != store_path(places)
    assert store_path(places).parent == places.state


def test_a_path_with_marks_of_addresses_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "50%?mode=ro#1 ü" / "queue.sqlite"
    fill(path)
    assert path.exists()


def test_a_full_disk_is_said_and_what_was_there_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path)
    connect = opening.connect

    def connect_to_a_small_disk(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 40")
        return connection

    monkeypatch.setattr(opening, "connect", connect_to_a_small_disk)
    with open_store(path).store as store:
        with pytest.raises(StoreFull):
            store.files.put(found(f"big/{number}") for number in range(2000))
        assert names(store) == ["0", "1", "2"]
        assert store.tasks.transition("book/1", "paused").state == "paused"


def test_a_store_locked_for_too_long_is_busy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cbtui.host.store.database.BUSY_SECONDS", 0)
    with open_store(path).store as one, attach_store(path) as other, one.transaction():
        with pytest.raises(StoreBusy):
            put(other, "book/1")
        assert names(other) == []
