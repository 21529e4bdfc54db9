"""What a screen sees: what works first, then what waits, what needs a person, and what is over."""

from __future__ import annotations

from typing import get_args

import pytest

from cbtui.core.queue import Filter, Sort
from cbtui.core.status import STATES
from cbtui.host.store import Store
from tests.host.store.helpers import lead, put

EVERYTHING = Filter()


def fill(store: Store) -> None:
    for state in STATES:
        for number in range(2):
            put(store, f"book/{state}{number}")
            lead(store, f"book/{state}{number}", state)


def window(
    store: Store, *, limit: int = 100, offset: int = 0, only: Filter = EVERYTHING, by: str = "queue"
) -> list[str]:
    rows = store.queue.window(limit=limit, offset=offset, only=only, by=by)  # type: ignore[arg-type]
    return [row.id.removeprefix("book/") for row in rows]


def test_groups_stand_in_the_order_of_interest(store: Store) -> None:
    fill(store)
    names = window(store)
    assert names[:2] == ["rendering0", "rendering1"]
    assert {name[:-1] for name in names[2:8]} == {"queued", "paused", "blocked"}
    assert {name[:-1] for name in names[8:14]} == {"failed", "invalid", "quarantined"}
    assert {name[:-1] for name in names[14:]} == {"done", "cancelled"}


def test_what_is_over_comes_newest_first(store: Store) -> None:
    fill(store)
    assert window(store)[-4:] == ["cancelled1", "cancelled0", "done1", "done0"]


def test_windows_join_up_across_groups(store: Store) -> None:
    fill(store)
    parts = [name for offset in range(0, 18, 5) for name in window(store, limit=5, offset=offset)]
    assert parts == window(store)


def test_a_filter_holds_in_every_group(store: Store) -> None:
    fill(store)
    assert window(store, only=Filter(text="d0")) == [
        "queued0",
        "paused0",
        "blocked0",
        "failed0",
        "invalid0",
        "quarantined0",
        "cancelled0",
    ]
    assert window(store, only=Filter(states=("done", "failed"))) == ["failed0", "failed1", "done1", "done0"]


def test_other_orders(store: Store) -> None:
    fill(store)
    assert window(store, by="name") == sorted(window(store))
    assert window(store, by="state")[:2] == ["blocked0", "blocked1"]
    assert window(store, by="newest", only=Filter(states=("queued",))) == ["queued1", "queued0"]


@pytest.mark.parametrize("by", get_args(Sort))
@pytest.mark.parametrize(
    "only", [EVERYTHING, Filter(text="d0"), Filter(states=("done", "failed", "queued")), Filter(job_glob="b*")]
)
def test_a_task_s_place_is_where_the_window_shows_it(store: Store, by: Sort, only: Filter) -> None:
    fill(store)
    rows = store.queue.window(limit=100, offset=0, only=only, by=by)
    assert rows
    assert [store.queue.place(row, only=only, by=by) for row in rows] == list(range(len(rows)))


def test_a_task_that_does_not_fit_has_no_place(store: Store) -> None:
    fill(store)
    for only in (Filter(text="failed"), Filter(states=("failed",)), Filter(job_glob="other")):
        assert store.queue.place(store.tasks.get("book/done0"), only=only) is None
