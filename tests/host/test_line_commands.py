"""Every command on tasks in every state, by every kind of name, while a host runs and while none does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cbtui.core.status import State
from cbtui.host.store import attach_store, open_store, store_path
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.host.store.helpers import STEPS, found, lead, put
from tests.support.fake_engine import FakeEngine
from tests.support.fake_host import places_in

STANDING: tuple[State, ...] = tuple(state for state in STEPS if state != "rendering")

# Where each command leaves a task of each state; what is not named is refused and stays.
EFFECTS: dict[str, dict[State, State]] = {
    "pause": {"queued": "paused"},
    "resume": {"paused": "queued"},
    "cancel": {"queued": "cancelled", "paused": "cancelled", "blocked": "cancelled"},
    "retry": {"failed": "queued", "cancelled": "queued", "quarantined": "queued", "blocked": "queued"},
}


@pytest.fixture(scope="module")
def halted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(places_in(tmp_path_factory.mktemp("halted"))) as served:
        served.ask("pause")
        yield served


@pytest.fixture
def served(halted: Served) -> Served:
    """A queue that is halted, with a task in each state but `rendering`, named for it."""
    store = halted.store
    with store.transaction():
        for task in halted.states():
            store.tasks.remove(task, dismiss=False)
        # Files with new stamps: of those that were removed by hand, the old ones stay out.
        store.files.put([found(f"jobs/{state}", mtime_ns=time.time_ns()) for state in STANDING])
        for state in STANDING:
            lead(store, f"jobs/{state}", state)
    return halted


def by_name(served: Served) -> dict[str, State]:
    return {task.removeprefix("jobs/"): state for task, state in served.states().items()}


@pytest.mark.parametrize("verb", EFFECTS)
def test_a_command_on_each_state(served: Served, verb: str) -> None:
    effects = EFFECTS[verb]
    for state in STANDING:
        command = served.ask(verb, tasks=[f"jobs/{state}"])
        assert command.state == ("done" if state in effects else "refused"), (state, command.answer)
        assert state in effects or f"jobs/{state} is {state}" in command.answer
    assert by_name(served) == {state: effects.get(state, state) for state in STANDING}


@pytest.mark.parametrize("verb", EFFECTS)
def test_a_command_by_glob_takes_whom_it_can(served: Served, verb: str) -> None:
    command = served.ask(verb, tasks=["jobs/*"])
    assert (command.state, "but" in command.answer) == ("done", False)
    assert by_name(served) == {state: EFFECTS[verb].get(state, state) for state in STANDING}


def test_anything_that_is_not_being_rendered_can_be_removed(served: Served) -> None:
    assert served.ask("remove", tasks=["*"]).state == "done"
    assert served.states() == {}


def test_any_task_can_be_moved_and_takes_its_place_once_it_waits(served: Served) -> None:
    for state in reversed(list(STANDING)):
        answer = served.ask("move", tasks=[state], place=1).answer
        waits = state in {"queued", "paused", "blocked"}
        assert ("now at position 1" if waits else "once queued again") in answer


def test_priorities_of_all_states_can_be_set(served: Served) -> None:
    served.ask("priority", tasks=["*"], to=7)
    assert {row.priority for row in served.store.queue.page(limit=99)} == {7}


def test_several_names_at_once_tell_what_could_not_be(served: Served) -> None:
    command = served.ask("cancel", tasks=["queued", "jobs/done", "paused"])
    assert command.answer == "cancelled: jobs/queued, jobs/paused; but jobs/done is done"
    assert (served.state("jobs/queued"), served.state("jobs/paused")) == ("cancelled", "cancelled")


def test_one_name_that_nobody_has_leaves_all_as_they_were(served: Served) -> None:
    command = served.ask("cancel", tasks=["queued", "nobody"])
    assert (command.state, command.answer) == ("refused", "no task 'nobody' in the queue")
    assert served.state("jobs/queued") == "queued"


def test_a_bare_name_of_two_jobs_is_asked_back(served: Served) -> None:
    put(served.store, "book/queued")
    command = served.ask("cancel", tasks=["queued"])
    assert command.answer == "'queued' is the name of several tasks: jobs/queued, book/queued"
    assert served.ask("cancel", tasks=["book/queued"]).state == "done"
    assert served.state("jobs/queued") == "queued"


def test_a_task_named_in_two_ways_is_told_once(served: Served) -> None:
    assert served.ask("cancel", tasks=["queued", "jobs/queued"]).answer == "cancelled: jobs/queued"


def test_a_glob_that_finds_nobody_for_it_says_so(served: Served) -> None:
    assert served.ask("resume", tasks=["jobs/d*"]).answer == "nothing was resumed: no task there can be"
    assert served.ask("resume", tasks=["book/*"]).answer == "no task 'book/*' in the queue"


def test_what_is_no_list_of_names_is_refused(served: Served) -> None:
    for tasks in ("queued", [1], {"a": 1}):
        assert served.ask("cancel", tasks=tasks).answer == "tasks must be a list of names"
    assert served.ask("cancel").answer == "cancel which tasks? Name some, or '*' for all."
    assert served.ask("move", tasks=["queued"], place="1").state == "refused"


def test_a_command_that_breaks_the_steward_stands_before_nobody(served: Served) -> None:
    number = served.store.commands.post("cancel", ["no", "mapping"])  # type: ignore[arg-type]
    broken = served.store.commands.wait(number, seconds=20)
    assert broken is not None
    assert "unexpected error" in broken.answer
    assert served.ask("cancel", tasks=["queued"]).state == "done"


def test_what_was_asked_while_no_host_ran_is_done_by_the_next(places: Places) -> None:
    with serving(places) as served:
        served.ask("pause")
        served.drop("a.txt", "Hello.")
        served.drop("b.txt", "Hello again.")
        served.until_state("jobs/b", "queued")
    with attach_store(store_path(places)) as store:
        numbers = [store.commands.post("cancel", {"tasks": ["a"]}), store.commands.post("resume")]
    with serving(places) as served:
        served.until_state("jobs/b", "done")
        answers = [served.store.commands.get(number) for number in numbers]
        assert [answer and answer.answer for answer in answers] == ["cancelled: jobs/a", "the queue goes on"]
        assert served.state("jobs/a") == "cancelled"


def test_a_command_is_carried_out_once_whatever_becomes_of_the_host(places: Places) -> None:
    with serving(places) as served:
        served.ask("pause")
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "queued")
    with attach_store(store_path(places)) as store:
        number = store.commands.post("priority", {"tasks": ["a"], "by": 1})
    for _ in range(3):
        with serving(places) as served:
            served.until(lambda: not served.store.commands.waiting(), "answered")
            assert served.store.tasks.get("jobs/a").priority == 1
    with attach_store(store_path(places)) as store:
        command = store.commands.get(number)
        assert command is not None
        assert command.state == "done"


def test_a_host_ends_for_those_who_asked_it_and_not_for_those_who_asked_the_one_before(places: Places) -> None:
    with open_store(store_path(places)).store as store:
        number = store.commands.post("stop")
    with serving(places) as served:
        command = served.store.commands.wait(number, seconds=20)
        assert command is not None
        assert (command.state, "gone" in command.answer) == ("refused", True)
        assert not served.host.wait(0)
        assert served.ask("stop").state == "done"
        assert served.host.wait(20)
        assert not served.host.restart_wanted


def test_a_host_asked_to_stop_after_the_chunk_ends_at_once_when_idle(places: Places) -> None:
    with serving(places, FakeEngine()) as served:
        served.ask("stop", after_chunk=True)
        assert served.host.wait(20)
