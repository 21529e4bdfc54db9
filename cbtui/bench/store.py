"""The store of the queue at full size, against a bare SQLite table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cbtui.bench.figures import milliseconds, stopwatch
from cbtui.core.queue import Filter, FoundTask
from cbtui.core.stamp import Stamp
from cbtui.host.estimates import Pace, queue_seconds
from cbtui.host.store import Store, open_store
from cbtui.host.store.database import connect, settle

_AT_ONCE = 1000
_TIMES = 200
_TABLE = "CREATE TABLE tasks (id TEXT, source BLOB, stamp TEXT, digest TEXT, priority INTEGER, state TEXT, reason TEXT)"


def bench_store(folder: Path, tasks: int) -> dict[str, Any]:
    """Times in ms or seconds, sizes in bytes; each `ratio` is ours divided by bare SQLite's."""
    path = folder / "queue.sqlite"
    with open_store(path).store as store, stopwatch() as inserting:
        put_tasks(store, tasks)
    ours = tasks / inserting()
    bare = _bare_inserts(folder / "bare.sqlite", tasks)
    with stopwatch() as opening:
        store = open_store(path).store
    with store:
        change = milliseconds(lambda number: _change(store, number, tasks), _TIMES)
        bare_change = _bare_changes(folder / "bare.sqlite", tasks)
        return {
            "tasks": tasks,
            "bytes_per_task": path.stat().st_size / tasks,
            "open_seconds": opening(),
            "insert": {"per_second": ours, "bare_per_second": bare, "ratio": ours / bare},
            "change_ms": change,
            "change": {"bare_ms": bare_change, "ratio": change["p50"] / bare_change["p50"]},
            **_reads(store, tasks),
        }


def put_tasks(store: Store, tasks: int) -> None:
    """Fill a store as the intake does, many at once."""
    for found in _in_parts(tasks):
        store.files.put(found)


def _reads(store: Store, tasks: int) -> dict[str, Any]:
    middle = store.queue.page(limit=1, offset=tasks // 2)[0]
    newest = store.queue.changed_since(0, limit=1)
    upto = newest.upto
    while newest.more:
        newest = store.queue.changed_since(upto, limit=5000)
        upto = newest.upto
    waiting = Filter(states=("queued",))

    def since_one(number: int) -> None:
        nonlocal upto
        _change(store, number, tasks)
        upto = store.queue.changed_since(upto).upto

    return {
        "page_ms": {
            "first": milliseconds(lambda _: store.queue.page(limit=50), _TIMES),
            "middle": milliseconds(lambda _: store.queue.page(limit=50, after=middle), _TIMES),
            "of_a_state": milliseconds(lambda _: store.queue.page(limit=50, only=waiting), _TIMES),
            "screen": milliseconds(lambda _: store.queue.window(limit=90, offset=0, only=Filter()), _TIMES),
        },
        "since_ms": {
            "nothing": milliseconds(lambda _: store.queue.changed_since(upto), _TIMES),
            "250_tasks": milliseconds(lambda _: store.queue.changed_since(upto - 250, limit=250), _TIMES),
        },
        "estimate_ms": milliseconds(
            lambda _: queue_seconds(store.work.amounts("queued"), (), Pace.of(store.work.speeds())), _TIMES
        ),
        "change_and_since_ms": milliseconds(since_one, _TIMES),
    }


def _change(store: Store, number: int, tasks: int) -> None:
    """A state change of a task somewhere, committed."""
    task = f"book/{(number * 7919) % tasks:07}"
    state = store.tasks.get(task).state
    store.tasks.transition(task, "paused" if state == "queued" else "queued")


def _in_parts(tasks: int) -> Iterator[list[FoundTask]]:
    chance = random.Random(1)
    for first in range(0, tasks, _AT_ONCE):
        yield [
            FoundTask(
                f"book/{number:07}",
                Path(f"/home/reader/jobs/book/{number:07}.yaml"),
                Stamp(2049, number, 4000, 1_767_268_800_000_000_000),
                f"{number:064x}",
                model="chatterbox/english",
                voice=f"{number % 7}",
                characters=chance.randint(100, 9000),
                surroundings="0123456789abcdef",
            )
            for number in range(first, min(tasks, first + _AT_ONCE))
        ]


def _bare_inserts(path: Path, tasks: int) -> float:
    """Rows a second into a plain table, with the same durability and as many rows a transaction."""
    path.touch()
    connection = connect(path)
    settle(connection)
    connection.execute(_TABLE)
    with stopwatch() as seconds:
        for found in _in_parts(tasks):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(task.id, bytes(task.source), str(task.stamp), task.digest, 0, "queued", "") for task in found],
            )
            connection.execute("COMMIT")
    connection.close()
    return tasks / seconds()


def _bare_changes(path: Path, tasks: int) -> dict[str, float]:
    connection = connect(path)
    settle(connection)

    def change(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE tasks SET state = 'paused' WHERE rowid = ?", ((number * 7919) % tasks + 1,))
        connection.execute("COMMIT")

    taken = milliseconds(change, _TIMES)
    connection.close()
    return taken
