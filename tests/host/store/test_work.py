"""Sums over the queue agree with a recount, whatever happened to its tasks; and speeds fade."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cbtui.core.problem import Problem
from cbtui.core.status import STATES, WAITING, IllegalTransition, Result, State
from cbtui.host.store import FoundTask, OutOfRange, Store, TaskIsRendering, UnknownTask, open_store
from cbtui.host.store.work import Amount, Speed
from tests.host.store.helpers import found, lead, put

TASKS = st.sampled_from([f"book/{name}" for name in "abcdef"])
FOUND = st.builds(
    lambda task, digest, model, voice, characters, broken: replace(
        found(task, digest=digest, problems=(Problem("x", "broken"),) if broken else ()),
        model=model,
        voice=voice,
        characters=characters,
    ),
    TASKS,
    st.sampled_from(["d1", "d2"]),
    st.sampled_from(["m", "n"]),
    st.sampled_from(["", "v", "w"]),
    st.integers(0, 10),
    st.booleans(),
)


class Changes(RuleBasedStateMachine):
    """Any change of any task, legal or not."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name) / "queue.sqlite").store
        # Nothing here is about durability.
        self.store._database._connection.execute("PRAGMA synchronous = OFF")

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(tasks=st.lists(FOUND, max_size=4))
    def put(self, tasks: list[FoundTask]) -> None:
        self.store.files.put(tasks)

    @rule(task=TASKS, to=st.sampled_from(STATES))
    def step(self, task: str, to: State) -> None:
        with contextlib.suppress(UnknownTask, IllegalTransition):
            self.store.tasks.transition(task, to)

    @rule(task=TASKS)
    def begin(self, task: str) -> None:
        with contextlib.suppress(UnknownTask, IllegalTransition):
            self.store.tasks.begin(task)

    @rule(task=TASKS, to=st.sampled_from(["done", "failed", "blocked"]), digest=st.sampled_from(["d1", "d2"]))
    def finish(self, task: str, to: State, digest: str) -> None:
        self.store.tasks.finish(task, to, digest=digest, result=Result("run"))

    @rule(task=TASKS, to=st.sampled_from(["queued", "paused"]))
    def give_back(self, task: str, to: State) -> None:
        self.store.tasks.give_back(task, to=to)

    @rule(steps=st.sampled_from([("queued", "blocked"), ("blocked", "queued")]), model=st.sampled_from([None, "m"]))
    def step_all(self, steps: tuple[State, State], model: str | None) -> None:
        self.store.tasks.transition_all(*steps, model=model)

    @rule(task=TASKS)
    def remove(self, task: str) -> None:
        with contextlib.suppress(UnknownTask, TaskIsRendering):
            self.store.tasks.remove(task)

    @rule(task=TASKS)
    def lose(self, task: str) -> None:
        self.store.files.lose(Path(f"/jobs/{task}.yaml"))

    @rule(old=TASKS, new=TASKS)
    def rename(self, old: str, new: str) -> None:
        self.store.files.rename(Path(f"/jobs/{old}.yaml"), Path(f"/jobs/{new}.yaml"))

    @rule()
    def die(self) -> None:
        self.store.tasks.recover()

    @rule(task=TASKS)
    def fail_halfway(self, task: str) -> None:
        with contextlib.suppress(UnknownTask, IllegalTransition, ZeroDivisionError), self.store.transaction():
            self.store.tasks.transition(task, "queued")
            raise ZeroDivisionError

    @invariant()
    def the_sums_agree_with_a_recount(self) -> None:
        for state in STATES:
            assert {*self.store.work.amounts(state)} == recount(self.store, state)

    @invariant()
    def the_counts_agree_with_a_recount(self) -> None:
        rows = self.store.queue.page(limit=99)
        assert self.store.queue.counts() == {state: sum(row.state == state for row in rows) for state in STATES}

    @invariant()
    def what_waits_has_a_file_that_is_whole(self) -> None:
        assert not [row for row in self.store.queue.page(limit=99) if row.state in WAITING and row.problems]

    @invariant()
    def changes_have_numbers_of_their_own(self) -> None:
        numbers = [row.changed for row in self.store.queue.page(limit=99)]
        assert len({*numbers}) == len(numbers)


def recount(store: Store, state: State) -> set[Amount]:
    rows: list[Any] = store._database.read(
        "SELECT model, voice, count(*) AS tasks, sum(characters) AS characters FROM tasks "
        "WHERE state = ? GROUP BY model, voice",
        (state,),
    )
    return {Amount(**dict(row)) for row in rows}


TestChanges = Changes.TestCase
TestChanges.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_the_work_of_several_states_is_added_up(store: Store) -> None:
    store.files.put([replace(found(f"book/{name}"), model="m", voice="v", characters=5) for name in "abc"])
    lead(store, "book/b", "blocked")
    lead(store, "book/c", "done")
    assert store.work.amounts("queued", "blocked") == (Amount("m", "v", 2, 10),)
    assert store.work.amounts("failed") == ()


def test_a_speed_is_learned_and_fades(store: Store) -> None:
    store.work.add_speed("m", "v", characters=100, seconds=10)
    assert store.work.speeds() == (Speed("m", "v", 100, 10),)
    with store.transaction():
        for _ in range(200):
            store.work.add_speed("m", "v", characters=100, seconds=40)
    (speed,) = store.work.speeds()
    assert speed.seconds / speed.characters == pytest.approx(0.4, rel=0.01)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_speed_that_is_no_number_is_refused(store: Store, seconds: float) -> None:
    with pytest.raises(OutOfRange):
        store.work.add_speed("m", "v", characters=1, seconds=seconds)
    assert store.work.speeds() == ()


def test_steps_of_all_tasks_are_changes_that_viewers_see_one_by_one(store: Store) -> None:
    put(store, *(f"book/{number}" for number in range(10)))
    store.tasks.remove("book/4")
    before = store.queue.changed_since(0, limit=99).upto
    assert len(store.tasks.transition_all("queued", "blocked", reason="why")) == 9
    seen: list[str] = []
    changes = store.queue.changed_since(before, limit=2)
    while changes.tasks:
        seen += [row.id for row in changes.tasks]
        changes = store.queue.changed_since(changes.upto, limit=2)
    assert seen == [f"book/{number}" for number in range(10) if number != 4]
    assert {row.reason for row in store.queue.page(limit=99)} == {"why"}
