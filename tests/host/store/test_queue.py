"""What front ends read: pages, counts, what is next, what changed; and that reading never walks the whole table."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cbtui.core.status import STATES
from cbtui.host.store import Changes, Filter, Progress, Store
from cbtui.host.store.database import Database
from tests.host.store.helpers import found, lead, names, put


@pytest.fixture
def mixed(store: Store) -> Store:
    """A task in each state, named for it, of two jobs."""
    for number, state in enumerate(STATES):
        task = f"{'book' if number % 2 else 'pod/cast'}/{state}"
        put(store, task)
        lead(store, task, state)
    return store


def ids(store: Store, **query: object) -> list[str]:
    return [row.id.rpartition("/")[2] for row in store.queue.page(limit=100, **query)]  # type: ignore[arg-type]


def test_pages_join_up_by_offset(store: Store) -> None:
    put(store, *(f"book/{number}" for number in range(10)))
    pages = [store.queue.page(limit=4, offset=offset) for offset in (0, 4, 8)]
    assert [row.id for page in pages for row in page] == [f"book/{number}" for number in range(10)]


def test_pages_join_up_by_the_last_task_seen(store: Store) -> None:
    put(store, "book/a", "book/b", "book/c")
    put(store, "book/x", "book/y", priority=3)
    seen = list(store.queue.page(limit=1))
    while page := store.queue.page(limit=1, after=seen[-1]):
        seen += page
    assert [row.id[-1] for row in seen] == ["x", "y", "a", "b", "c"]


def test_a_page_of_some_states_is_in_queue_order(mixed: Store) -> None:
    assert ids(mixed, only=Filter(("blocked", "queued", "paused", "queued"))) == ["queued", "paused", "blocked"]


def test_a_page_of_jobs_by_glob(mixed: Store) -> None:
    assert ids(mixed, only=Filter(job_glob="b[!a]*k")) == ["rendering", "failed", "cancelled", "blocked"]
    assert ids(mixed, only=Filter(("paused",), job_glob="pod*")) == ["paused"]
    assert ids(mixed, only=Filter(job_glob="pod")) == []


def test_a_page_by_text_takes_the_text_as_it_is(store: Store) -> None:
    put(store, "book/One_a", "book/oneXa", "book/50%", "book/500", "book/a\\b")
    assert ids(store, only=Filter(text="one_")) == ["One_a"]
    assert ids(store, only=Filter(text="50%")) == ["50%"]
    assert ids(store, only=Filter(text="a\\b")) == ["a\\b"]


def test_a_page_by_words_has_them_all_in_whatever_order(store: Store) -> None:
    put(store, "book/chapter-01", "book/chapter-02", "game/line-01")
    assert ids(store, only=Filter(text="01 chap")) == ["chapter-01"]
    assert ids(store, only=Filter(text="book  CHAPTER")) == ["chapter-01", "chapter-02"]
    assert ids(store, only=Filter(text="book line")) == []


def test_counts_follow_every_change(mixed: Store) -> None:
    assert mixed.queue.counts() == dict.fromkeys(STATES, 1)
    mixed.tasks.transition("pod/cast/queued", "paused")
    mixed.tasks.remove("pod/cast/done")
    assert mixed.queue.counts() == dict.fromkeys(STATES, 1) | {"queued": 0, "paused": 2, "done": 0}


def test_counting_what_fits(mixed: Store) -> None:
    assert mixed.queue.count() == 9
    assert mixed.queue.count(Filter(("queued", "paused"))) == 2
    assert mixed.queue.count(Filter(("queued", "rendering"), job_glob="book")) == 1


def test_the_next_tasks_are_the_queued_ones_in_order(mixed: Store) -> None:
    put(mixed, "book/urgent", priority=1)
    assert [row.id for row in mixed.queue.next_queued(5)] == ["book/urgent", "pod/cast/queued"]


def test_everything_has_changed_since_the_beginning(mixed: Store) -> None:
    changes = mixed.queue.changed_since(0)
    assert len(changes.tasks) == 9
    assert not changes.more
    assert mixed.queue.changed_since(changes.upto).tasks == ()


def test_a_change_shows_once(mixed: Store) -> None:
    upto = mixed.queue.changed_since(0).upto
    mixed.tasks.set_progress("book/rendering", Progress(1, 2, 3))
    mixed.tasks.transition("pod/cast/queued", "paused")
    changes = mixed.queue.changed_since(upto)
    assert [row.id for row in changes.tasks] == ["book/rendering", "pod/cast/queued"]
    assert mixed.queue.changed_since(changes.upto) == Changes((), (), changes.upto)


def test_a_removal_is_a_change_until_the_task_comes_back(store: Store) -> None:
    put(store, "book/1")
    upto = store.queue.changed_since(0).upto
    store.tasks.remove("book/1")
    assert store.queue.changed_since(upto).removed == ("book/1",)
    store.files.put([found("book/1", mtime_ns=2)])
    changes = store.queue.changed_since(upto)
    assert (changes.removed, len(changes.tasks)) == ((), 1)


def test_many_changes_come_in_parts_that_miss_nothing(store: Store) -> None:
    put(store, *(f"book/{number}" for number in range(20)))
    for number in range(0, 20, 2):
        store.tasks.remove(f"book/{number}")
    upto, more, kept, gone = 0, True, [], []
    while more:
        changes = store.queue.changed_since(upto, limit=3)
        upto, more = changes.upto, changes.more
        kept += [row.id for row in changes.tasks]
        gone += changes.removed
    assert kept == [f"book/{number}" for number in range(1, 20, 2)]
    assert gone == [f"book/{number}" for number in range(0, 20, 2)]


def test_a_number_of_another_store_means_reading_everything_anew(store: Store) -> None:
    put(store, "book/1")
    assert store.queue.changed_since(10**6).reload


def test_a_number_older_than_the_removals_kept_means_reading_everything_anew(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cbtui.host.store.tasks._REMOVALS_KEPT", 2)
    put(store, *(f"book/{number}" for number in range(5)))
    for number in range(5):
        store.tasks.remove(f"book/{number}")
    upto = store.queue.changed_since(0).upto
    store.tasks.recover()
    assert store.queue.changed_since(1).reload
    assert store.queue.changed_since(upto - 2).removed == ("book/3", "book/4")


HOT: dict[str, Callable[[Store], object]] = {
    "page": lambda store: store.queue.page(limit=5, offset=3),
    "page behind a task": lambda store: store.queue.page(limit=5, after=store.tasks.get("book/1")),
    "page of a state": lambda store: store.queue.page(limit=5, only=Filter(("queued",))),
    "page of states behind a task": lambda store: store.queue.page(
        limit=5, only=Filter(("queued", "paused")), after=store.tasks.get("book/1")
    ),
    "counts": lambda store: store.queue.counts(),
    "next": lambda store: store.queue.next_queued(5),
    "changes": lambda store: store.queue.changed_since(3),
    "step": lambda store: store.tasks.transition("book/1", "paused"),
    "progress": lambda store: store.tasks.set_progress("book/1", Progress()),
    "put": lambda store: store.files.put([found("book/1", digest="d2")]),
    "remove": lambda store: store.tasks.remove("book/1"),
    "move": lambda store: store.order.move("book/5", 1),
    "move to the end": lambda store: store.order.move("book/5", 99),
    "recover": lambda store: store.tasks.recover(),
    "commands": lambda store: store.commands.waiting(),
}


@pytest.mark.parametrize("operation", HOT)
def test_hot_statements_use_an_index_and_sort_nothing(
    store: Store, path: Path, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, *(f"book/{number}" for number in range(9)))
    said: list[str] = []
    for name in ("read", "write"):
        original = getattr(Database, name)

        def listen(self: Database, statement: str, values: object = (), original: object = original) -> object:
            said.append(statement)
            return original(self, statement, values)  # type: ignore[operator]

        monkeypatch.setattr(Database, name, listen)
    HOT[operation](store)
    assert said
    plain = sqlite3.connect(path)
    for statement in said:
        names_of_values = {"task", "change", "only_in", *_columns(plain)}
        values: object = [1] * statement.count("?") if "?" in statement else dict.fromkeys(names_of_values, 1)
        plan = [row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {statement}", values)]  # type: ignore[arg-type]
        assert not [step for step in plan if "TEMP B-TREE" in step], (statement, plan)
        tables = [step for step in plan if " tasks" in step or " removed" in step or " commands" in step]
        assert all("INDEX" in step or "PRIMARY KEY" in step for step in tables), (statement, plan)
    plain.close()


def _columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(tasks)")]


def test_the_whole_queue_is_named_in_order(mixed: Store) -> None:
    assert names(mixed) == list(STATES)
