"""How a rendering ends in the store, wherever its task was put meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.core.problem import Problem
from cbtui.core.status import Result, State
from cbtui.host.store import Progress, Store, TaskRow
from tests.host.store.helpers import found, put

RESULT = Result("20260101-120000", Path("/output/1.wav"), rendered=4)
BROKEN = (Problem("/jobs/book/1.yaml", "broken", 1, 1),)


@pytest.fixture(autouse=True)
def rendering(store: Store) -> None:
    """book/1 is being rendered."""
    put(store, "book/1")
    store.tasks.begin("book/1")


def finish(store: Store, to: State = "done", *, digest: str = "d1") -> TaskRow | None:
    return store.tasks.finish("book/1", to, digest=digest, reason="why", result=RESULT)


def state(store: Store) -> State:
    return store.tasks.get("book/1").state


@pytest.mark.parametrize("to", ["done", "failed", "blocked"])
def test_a_rendering_ends_where_it_came_to(store: Store, to: State) -> None:
    row = finish(store, to)
    assert row
    assert (row.state, row.result, row.attempts) == (to, RESULT, 1 if to == "failed" else 0)


def test_a_paused_task_that_came_to_its_end_is_done_and_keeps_when_it_began(store: Store) -> None:
    began = store.tasks.get("book/1").started
    store.tasks.give_back("book/1", to="paused")
    row = finish(store)
    assert row
    assert (row.state, row.started, row.attempts) == ("done", began, 0)


@pytest.mark.parametrize("to", ["failed", "blocked"])
def test_a_paused_task_that_came_to_no_good_end_stays_paused(store: Store, to: State) -> None:
    store.tasks.give_back("book/1", to="paused")
    assert finish(store, to) is None
    assert state(store) == "paused"


@pytest.mark.parametrize("to", ["done", "failed", "blocked"])
def test_a_cancelled_or_removed_task_stays_so(store: Store, to: State) -> None:
    store.tasks.transition("book/1", "cancelled")
    assert finish(store, to) is None
    assert state(store) == "cancelled"
    store.tasks.remove("book/1")
    assert finish(store, to) is None


@pytest.mark.parametrize("to", ["done", "failed", "blocked"])
def test_an_edited_task_is_queued_again_with_nothing_of_before(store: Store, to: State) -> None:
    store.files.put([found("book/1", digest="d2")])
    row = finish(store, to)
    assert row
    assert (row.state, row.result, row.attempts, row.reason) == (
        "queued",
        None,
        0,
        "its file changed while it was being rendered",
    )


@pytest.mark.parametrize("to", ["done", "failed", "blocked"])
def test_a_task_whose_file_broke_is_invalid_afterwards(store: Store, to: State) -> None:
    store.files.put([found("book/1", digest="", problems=BROKEN)])
    row = finish(store, to)
    assert row
    assert (row.state, row.problems) == ("invalid", BROKEN)


@pytest.mark.parametrize("to", ["queued", "paused"])
def test_a_task_whose_file_broke_is_not_given_back_to_the_queue(store: Store, to: State) -> None:
    store.files.put([found("book/1", digest="", problems=BROKEN)])
    store.tasks.give_back("book/1", to=to)
    row = store.tasks.get("book/1")
    assert (row.state, row.attempts) == ("invalid", 0)
    store.files.put([found("book/1", digest="d3")])
    assert state(store) == "queued"


def test_a_task_whose_file_broke_before_its_host_died_is_invalid(store: Store) -> None:
    store.files.put([found("book/1", digest="", problems=BROKEN)])
    (row,) = store.tasks.recover()
    assert (row.state, row.deaths) == ("invalid", 1)


def test_a_fresh_rendering_asked_for_since_outlasts_the_end_of_the_old_one(store: Store) -> None:
    store.tasks.transition("book/1", "cancelled")
    store.tasks.transition("book/1", "queued")
    store.tasks.set_fresh("book/1", fresh=True)
    store.tasks.begin_fresh_run("book/1")
    assert finish(store) is None
    row = store.tasks.get("book/1")
    assert (row.state, row.fresh) == ("queued", True)


@pytest.mark.parametrize("meanwhile", ["rendering", "paused"])
def test_a_fresh_run_that_has_begun_is_asked_for_no_more(store: Store, meanwhile: State) -> None:
    store.tasks.set_fresh("book/1", fresh=True)
    if meanwhile == "paused":
        store.tasks.give_back("book/1", to="paused")
    store.tasks.begin_fresh_run("book/1")
    assert not store.tasks.get("book/1").fresh
    row = finish(store)
    assert row
    assert row.state == "done"


@pytest.mark.parametrize("to", ["cancelled", "queued", "failed"])
def test_a_lost_device_counts_against_what_is_being_rendered_alone(store: Store, to: State) -> None:
    store.tasks.transition("book/1", to)
    row = store.tasks.survive("book/1", cause="the device failed")
    assert (row.state, row.deaths) == (to, 0)


def test_a_finished_chunk_makes_deaths_forgotten(store: Store) -> None:
    store.tasks.survive("book/1", cause="the device failed")
    store.tasks.begin("book/1")
    store.tasks.set_progress("book/1", Progress(0, 3, 10))
    assert store.tasks.get("book/1").deaths == 1
    store.tasks.set_progress("book/1", Progress(1, 3, 20), advanced=True)
    assert store.tasks.get("book/1").deaths == 0


def test_whoever_is_picked_is_overtaken_no_more_and_the_others_once_more(store: Store) -> None:
    finish(store)
    put(store, "book/2", "book/3", "book/4")
    for task in ("book/4", "book/3"):
        store.tasks.begin(task, overtaking=["book/2"])
        lead_to_end(store, task)
    assert store.tasks.get("book/2").overtaken == 2
    assert store.tasks.begin("book/2").overtaken == 2
    assert store.tasks.get("book/2").overtaken == 0


def lead_to_end(store: Store, task: str) -> None:
    store.tasks.transition(task, "failed")
