"""Tasks in the store: found in files, led through their states, taken out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cbtui.core.problem import Problem
from cbtui.core.stamp import Stamp
from cbtui.core.status import LEGAL_TRANSITIONS, SETTLED, STATES, IllegalTransition, Result, State
from cbtui.host.store import OutOfRange, Progress, Store, TaskIsRendering, UnknownTask
from tests.host.store.conftest import NOON
from tests.host.store.helpers import found, lead, names, put

BROKEN = (Problem("jobs/book/1.yaml", "speakers.alice.exageration: unknown setting", 6, 3),)


def test_a_task_comes_back_as_it_was_found(store: Store) -> None:
    task = found("book/1", priority=7)
    store.files.put([task])
    row = store.tasks.get("book/1")
    assert (row.source, row.stamp, row.digest, row.priority) == (task.source, task.stamp, task.digest, 7)
    assert (row.state, row.job, row.added, row.result) == ("queued", "book", NOON, None)


def test_new_tasks_join_the_end_in_the_order_found(store: Store) -> None:
    put(store, "book/b", "book/a")
    put(store, "book/c")
    assert names(store) == ["b", "a", "c"]


def test_a_broken_file_is_a_task_with_its_problems(store: Store) -> None:
    store.files.put([found("book/1", problems=BROKEN)])
    row = store.tasks.get("book/1")
    assert (row.state, row.problems) == ("invalid", BROKEN)


def test_a_mended_file_queues_its_task(store: Store) -> None:
    store.files.put([found("book/1", problems=BROKEN)])
    store.files.put([found("book/1", digest="mended")])
    row = store.tasks.get("book/1")
    assert (row.state, row.problems) == ("queued", ())


def test_put_says_what_is_new_what_is_edited_and_what_is_being_rendered(store: Store) -> None:
    put(store, "book/same", "book/edited", "book/running")
    lead(store, "book/running", "rendering")
    tasks = [found("book/same"), found("book/new")]
    tasks += [found(f"book/{name}", digest="d2") for name in ("edited", "running")]
    result = store.files.put(tasks)
    assert (result.added, result.edited, result.rendering) == (("book/new",), ("book/edited",), ("book/running",))


def test_looking_again_at_the_same_files_changes_nothing(store: Store) -> None:
    put(store, "book/1")
    before, content = store.tasks.get("book/1"), store.path.read_bytes()
    put(store, "book/1")
    assert store.tasks.get("book/1") == before
    assert store.path.read_bytes() == content


def test_a_task_found_twice_in_one_look_is_one_task(store: Store) -> None:
    result = store.files.put([found("book/1"), found("book/1", digest="d2"), found("book/2")])
    assert (result.added, result.edited) == (("book/1", "book/2"), ("book/1",))
    assert names(store) == ["1", "2"]


def test_a_touched_file_only_gets_its_new_stamp(store: Store) -> None:
    put(store, "book/1")
    lead(store, "book/1", "done")
    store.files.put([found("book/1", mtime_ns=99)])
    row = store.tasks.get("book/1")
    assert (row.state, row.stamp.mtime_ns) == ("done", 99)


@pytest.mark.parametrize("state", [*SETTLED, "invalid"])
def test_an_edited_file_queues_its_task_anew(store: Store, state: State) -> None:
    put(store, "book/1")
    lead(store, "book/1", state)
    store.files.put([found("book/1", digest="d2")])
    row = store.tasks.get("book/1")
    assert (row.state, row.attempts, row.result, row.finished) == ("queued", 0, None, None)


def test_a_pause_outlasts_an_edit(store: Store) -> None:
    put(store, "book/1")
    lead(store, "book/1", "paused")
    store.files.put([found("book/1", digest="d2")])
    assert store.tasks.get("book/1").state == "paused"


def test_a_priority_set_by_hand_holds_until_the_file_names_another(store: Store) -> None:
    put(store, "book/1", priority=1)
    store.tasks.set_priority("book/1", 5)
    store.files.put([found("book/1", digest="d2", priority=1)])
    assert store.tasks.get("book/1").priority == 5
    store.files.put([found("book/1", digest="d2", priority=2)])
    assert store.tasks.get("book/1").priority == 2


@pytest.mark.parametrize("before", STATES)
def test_the_store_takes_legal_steps_and_refuses_all_others(store: Store, before: State) -> None:
    for after in STATES:
        task = f"book/{after}"
        put(store, task)
        lead(store, task, before)
        if after in LEGAL_TRANSITIONS[before]:
            assert store.tasks.transition(task, after).state == after
        else:
            with pytest.raises(IllegalTransition):
                store.tasks.transition(task, after)
            assert store.tasks.get(task).state == before


def test_a_finished_task_carries_its_result(store: Store) -> None:
    put(store, "book/1")
    lead(store, "book/1", "rendering")
    result = Result("20260101-120000", Path("/output/1.wav"), 12.5, 3.25, rendered=4, reused=1, draft=True)
    row = store.tasks.transition("book/1", "done", result=result)
    assert (row.result, row.started, row.finished, row.attempts) == (result, NOON, NOON, 0)


def test_a_failure_says_why_and_counts_an_attempt(store: Store) -> None:
    put(store, "book/1")
    lead(store, "book/1", "rendering")
    row = store.tasks.transition("book/1", "failed", reason="chunk 3: no seed helped")
    assert (row.reason, row.attempts) == ("chunk 3: no seed helped", 1)


def test_a_retry_starts_afresh(store: Store) -> None:
    put(store, "book/1")
    lead(store, "book/1", "rendering")
    store.tasks.set_progress("book/1", Progress(1, 2, 30))
    store.tasks.transition("book/1", "failed", reason="no", result=Result("run", reason="no"))
    row = store.tasks.transition("book/1", "queued")
    assert (row.attempts, row.reason, row.result, row.progress) == (0, "", None, Progress())


def test_steps_of_many_tasks_tell_which_could_not_take_them(store: Store) -> None:
    put(store, "book/1", "book/2")
    lead(store, "book/2", "done")
    refused = store.tasks.transition_each(["book/1", "book/2", "book/none"], "paused")
    assert store.tasks.get("book/1").state == "paused"
    assert refused == {"book/2": "a task that is done cannot become paused", "book/none": "no task 'book/none'"}


def test_progress_is_kept_while_rendering_and_ignored_after(store: Store) -> None:
    put(store, "book/1")
    assert not store.tasks.set_progress("book/1", Progress(1, 9, 100))
    lead(store, "book/1", "rendering")
    assert store.tasks.set_progress("book/1", Progress(1, 9, 100))
    assert store.tasks.get("book/1").progress == Progress(1, 9, 100)


def test_a_removed_task_is_gone(store: Store) -> None:
    put(store, "book/1")
    store.tasks.remove("book/1")
    with pytest.raises(UnknownTask, match="book/1"):
        store.tasks.get("book/1")


def test_a_task_that_is_being_rendered_is_not_removed(store: Store) -> None:
    put(store, "book/1")
    lead(store, "book/1", "rendering")
    with pytest.raises(TaskIsRendering):
        store.tasks.remove("book/1")


def test_after_the_hosts_death_a_task_is_queued_in_its_old_place(store: Store) -> None:
    put(store, "book/1", "book/2", "book/3")
    lead(store, "book/2", "rendering")
    (row,) = store.tasks.recover()
    assert (row.id, row.state, row.attempts, row.deaths) == ("book/2", "queued", 1, 1)
    assert names(store) == ["1", "2", "3"]


def test_a_task_that_killed_its_host_three_times_is_quarantined(store: Store) -> None:
    put(store, "book/1")
    outcomes = []
    for _ in range(3):
        store.tasks.transition("book/1", "rendering")
        outcomes += [(row.state, row.deaths) for row in store.tasks.recover()]
    assert outcomes == [("queued", 1), ("queued", 2), ("quarantined", 3)]
    assert "3 times" in store.tasks.get("book/1").reason


def test_there_is_nothing_to_recover_after_an_orderly_end(store: Store) -> None:
    put(store, "book/1")
    assert store.tasks.recover() == ()


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail_after_a_change() -> None:
        with store.transaction():
            put(store, "book/1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_a_change()
    assert names(store) == []


def test_half_characters_are_stored_spelled_out_and_found_again(store: Store) -> None:
    put(store, "book/\udcff\ud800")
    row = store.tasks.get("book/\udcff\ud800")
    assert row.id == "book/\\udcff\\ud800"
    assert store.tasks.transition(row.id, "blocked", reason="no \ud800 NUL \0").reason == "no \\ud800 NUL \\x00"


def test_a_file_name_that_is_not_utf8_can_still_be_opened(store: Store) -> None:
    source = Path(os.fsdecode(b"/jobs/\xff.yaml"))
    store.files.put([replace(found("book/1"), source=source)])
    assert store.tasks.get("book/1").source == source


def test_the_problems_of_a_file_may_hold_half_characters(store: Store) -> None:
    store.files.put([found("book/1", problems=(Problem("jobs/\ud800.yaml", "no \udcff"),))])
    assert str(store.tasks.get("book/1").problems[0]) == "jobs/\\ud800.yaml: no \\udcff"


def test_an_inode_of_64_bits_is_kept(store: Store) -> None:
    stamp = Stamp(device=2**64 - 1, inode=2**64 - 1, size=0, mtime_ns=-1)
    store.files.put([replace(found("book/1"), stamp=stamp)])
    assert store.tasks.get("book/1").stamp == stamp


@pytest.mark.parametrize("priority", [2**63, -(2**63), 10**5000], ids=["large", "small", "huge"])
def test_a_number_past_64_bits_is_refused(store: Store, priority: int) -> None:
    with pytest.raises(OutOfRange):
        store.files.put([found("book/fine"), found("book/1", priority=priority)])
    assert names(store) == []


def test_a_length_that_is_no_number_is_refused(store: Store) -> None:
    put(store, "book/1")
    lead(store, "book/1", "rendering")
    with pytest.raises(OutOfRange):
        store.tasks.transition("book/1", "done", result=Result(speech_seconds=float("nan")))
    assert store.tasks.get("book/1").state == "rendering"
