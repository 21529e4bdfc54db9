"""The store of the queue at full size, against a bare SQLite table in a file of its own."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from cbtui.bench.figures import milliseconds, percentiles, stopwatch
from cbtui.core.queue import Filter, FoundTask
from cbtui.core.stamp import Stamp
from cbtui.core.status import STATES, State
from cbtui.host.estimates import Pace, seconds_left
from cbtui.host.store import Store, open_store
from cbtui.host.store.database import connect, settle

_AT_ONCE = 1000
_TIMES = 200
_OPENINGS = 5
_CHANGES = 250
_VOICES = 7
_MODEL = "chatterbox/english"
_UNFINISHED = Filter(states=tuple(state for state in STATES if state != "done"))


def bench_store(folder: Path, tasks: int) -> dict[str, Any]:
    """Times in ms or seconds, sizes in bytes; each `ratio` is to bare SQLite, measured in turn.

    Bare is a plain table of the same columns, with neither indexes nor triggers, of the same durability, with the same
    1,000 rows a transaction.
    """
    folder.mkdir()
    path, bare_path = folder / "queue.sqlite", folder / "bare.sqlite"
    bare_path.touch()
    with open_store(path).store as store, closing(connect(bare_path)) as bare:
        settle(bare)
        insert = _insert(store, bare, tasks)
        for voice in range(_VOICES):
            store.work.add_speed(_MODEL, str(voice), characters=10_000, seconds=700)
        return {
            "tasks": tasks,
            "bytes_per_task": path.stat().st_size / tasks,
            "open_seconds": _open(path),
            "insert": insert,
            **_one_change(store, bare, tasks),
            **_reads(store, tasks),
        }


def put_tasks(store: Store, tasks: int) -> None:
    """Fill a store as the intake does, many at once."""
    for found in _in_parts(tasks):
        store.files.put(found)


def _insert(store: Store, bare: sqlite3.Connection, tasks: int) -> dict[str, float]:
    """Rows a second."""
    ours = others = 0.0
    with closing(connect(store.path)) as reader:
        columns = [f"{row['name']} {row['type']}" for row in reader.execute("PRAGMA table_info(tasks)")]
        names = ", ".join(column.split()[0] for column in columns)
        bare.execute(f"CREATE TABLE tasks ({', '.join(columns)})")
        for found in _in_parts(tasks):
            with stopwatch() as seconds:
                store.files.put(found)
            ours += seconds()
            query = f"SELECT {names} FROM tasks ORDER BY number DESC LIMIT ?"  # noqa: S608 - names of the schema
            rows = [tuple(row) for row in reader.execute(query, (len(found),))]
            with stopwatch() as seconds:
                bare.execute("BEGIN IMMEDIATE")
                bare.executemany(f"INSERT INTO tasks VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608
                bare.execute("COMMIT")
            others += seconds()
    return {"per_second": tasks / ours, "bare_per_second": tasks / others, "ratio": others / ours}


def _open(path: Path) -> float:
    """Seconds that a host takes to open and check the store: the median."""
    taken = []
    for _ in range(_OPENINGS):
        with stopwatch() as seconds:
            store = open_store(path).store
        taken.append(seconds())
        store.close()
    return percentiles(taken)["p50"]


def _one_change(store: Store, bare: sqlite3.Connection, tasks: int) -> dict[str, Any]:
    """One task takes a step, committed; one row of the bare table changes, committed."""
    ours, others = [], []
    for number in range(_TIMES):
        task, to = _next_step(store, number, tasks)
        with stopwatch() as seconds:
            store.tasks.transition(task, to)
        ours.append(1000 * seconds())
        with stopwatch() as seconds:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("UPDATE tasks SET state = ? WHERE rowid = ?", (to, _scattered(number, tasks) + 1))
            bare.execute("COMMIT")
        others.append(1000 * seconds())
    change, bare_change = percentiles(ours), percentiles(others)
    return {"change_ms": change, "change": {"bare_ms": bare_change, "ratio": change["p50"] / bare_change["p50"]}}


def _reads(store: Store, tasks: int) -> dict[str, Any]:
    middle = store.queue.page(limit=1, offset=tasks // 2)[0]
    queued = Filter(states=("queued",))
    last = Filter(text=f"{tasks - 1:07}")
    upto = _newest_change(store)

    def change_one(number: int) -> None:
        nonlocal upto
        upto = _newest_change(store, upto)
        store.tasks.transition(*_next_step(store, number, tasks))

    pages = {
        "first": milliseconds(lambda _: store.queue.page(limit=50), _TIMES),
        "middle": milliseconds(lambda _: store.queue.page(limit=50, after=middle), _TIMES),
        "of_a_state": milliseconds(lambda _: store.queue.page(limit=50, only=queued), _TIMES),
        "unfinished": milliseconds(lambda _: store.queue.page(limit=50, only=_UNFINISHED), _TIMES),
        "of_a_name": milliseconds(lambda _: store.queue.page(limit=50, only=last), _TIMES),
        "screen": milliseconds(lambda _: store.queue.window(limit=90, offset=0, only=Filter()), _TIMES),
    }
    nothing = milliseconds(lambda _: store.queue.changed_since(upto), _TIMES)
    one = milliseconds(lambda _: store.queue.changed_since(upto), _TIMES, before=change_one)
    upto = _newest_change(store, upto)
    with store.transaction():
        for number in range(_CHANGES):
            store.tasks.transition(*_next_step(store, number, tasks))
    many = milliseconds(lambda _: store.queue.changed_since(upto), _TIMES)
    work = milliseconds(lambda _: seconds_left(store, Pace.of(store.work.speeds())), _TIMES)
    return {
        "page_ms": pages,
        "since_ms": {"nothing": nothing, "one_task": one, "250_tasks": many},
        "work_ms": work,
    }


def _newest_change(store: Store, upto: int = 0) -> int:
    changes = store.queue.changed_since(upto, limit=5000)
    while changes.more:
        changes = store.queue.changed_since(changes.upto, limit=5000)
    return changes.upto


def _next_step(store: Store, number: int, tasks: int) -> tuple[str, State]:
    """A task somewhere in the queue, and a state that it may go to."""
    task = f"book/{_scattered(number, tasks):07}"
    return task, "paused" if store.tasks.get(task).state == "queued" else "queued"


def _scattered(number: int, tasks: int) -> int:
    return (number * 7919) % tasks


def _in_parts(tasks: int) -> Iterator[list[FoundTask]]:
    chance = random.Random(1)
    for first in range(0, tasks, _AT_ONCE):
        yield [
            FoundTask(
                f"book/{number:07}",
                Path(f"/home/reader/jobs/book/{number:07}.yaml"),
                Stamp(2049, number, 4000, 1_767_268_800_000_000_000),
                f"{number:064x}",
                model=_MODEL,
                voice=f"{number % _VOICES}",
                characters=chance.randint(100, 9000),
                surroundings="0123456789abcdef",
            )
            for number in range(first, min(tasks, first + _AT_ONCE))
        ]
