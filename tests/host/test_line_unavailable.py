"""An engine that is not there blocks its tasks until one of them finds it works again; other models go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cbtui.core.events import EventSink
from cbtui.core.task import ModelName
from cbtui.engine.base import ChunkRequest, EngineUnavailable
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import Answer, FakeEngine, speak

REASON = "the model turbo is not on this machine. Fetch it."


class FailingEngine(FakeEngine):
    """Is not available, from its preparation or its first chunk on, until `works`."""

    def __init__(self, *, at: str = "render") -> None:
        super().__init__(self._answer_or_fail)
        self.works = False
        self.prepared = 0
        self._at = at

    def prepare(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        self.prepared += 1
        if self._at == "prepare" and not self.works:
            raise EngineUnavailable(REASON)

    def _answer_or_fail(self, request: ChunkRequest) -> Answer:
        if not self.works:
            raise EngineUnavailable(REASON)
        return speak(request)


@pytest.fixture
def turbo() -> FailingEngine:
    return FailingEngine()


@pytest.fixture
def served(places: Places, turbo: FailingEngine) -> Iterator[Served]:
    with serving(places, engines_of(turbo)) as served:
        yield served


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cbtui.host.blocks._PATIENCE", {"engine": (0.05, 0.1)})


def engines_of(turbo: FailingEngine) -> Callable[[ModelName], FakeEngine]:
    english = FakeEngine()
    return lambda model: turbo if model == "turbo" else english


def drop(served: Served, *names: str, model: str = "turbo") -> None:
    for name in names:
        served.drop(f"{name}.yaml", f"model: {model}\ntext: This is {name}.\n")
    served.until(lambda: all(served.state(f"jobs/{name}") for name in names), "all are there")


def drop_blocked(served: Served, *names: str) -> None:
    served.ask("pause")
    drop(served, *names)
    served.ask("resume")
    for name in names:
        served.until_state(f"jobs/{name}", "blocked")


@pytest.mark.parametrize("at", ["prepare", "render"])
def test_all_tasks_of_the_model_wait_with_the_reason_and_others_go_on(places: Places, at: str) -> None:
    turbo = FailingEngine(at=at)
    with serving(places, engines_of(turbo)) as served:
        drop_blocked(served, "a", "b", "c")
        drop(served, "d", model="english")
        served.until_state("jobs/d", "done")
        rows = [served.store.tasks.get(f"jobs/{name}") for name in "abc"]
        assert [(row.state, row.reason, row.attempts) for row in rows] == [("blocked", REASON, 0)] * 3
        assert turbo.prepared == 1
        assert len(served.store.queue.changed_since(0).tasks) == 4


def test_a_new_task_of_that_model_waits_at_once_and_the_engine_is_not_asked(
    served: Served, turbo: FailingEngine
) -> None:
    drop_blocked(served, "a")
    drop(served, "b")
    row = served.until_state("jobs/b", "blocked")
    assert (row.reason, row.attempts, turbo.prepared) == (REASON, 0, 1)


@pytest.mark.usefixtures("impatient")
def test_one_task_finds_out_that_the_engine_works_and_all_go_on(served: Served, turbo: FailingEngine) -> None:
    drop_blocked(served, *"abcde")
    served.until(lambda: turbo.prepared >= 3, "asked in vain twice more")
    turbo.works = True
    served.until(lambda: served.store.queue.counts()["done"] == 5, "all are done")
    assert {row.attempts for row in served.store.queue.page(limit=9)} == {0}
    served.until_told("queued", text="chatterbox/turbo is available again")


@pytest.mark.usefixtures("impatient")
def test_while_the_queue_is_paused_one_task_at_most_is_let_go(served: Served, turbo: FailingEngine) -> None:
    drop_blocked(served, *"abcde")
    served.ask("pause")
    served.until(lambda: served.store.queue.counts()["queued"] == 1, "one is let go")
    for _ in range(10):
        served.ask("move", tasks=["e"], place=1)
        counts = served.store.queue.counts()
        assert (counts["queued"], counts["blocked"]) == (1, 4)
    turbo.works = True
    served.ask("resume")
    served.until(lambda: served.store.queue.counts()["done"] == 5, "all are done")


@pytest.mark.usefixtures("impatient")
def test_where_the_one_that_was_let_go_is_cancelled_another_finds_out(served: Served, turbo: FailingEngine) -> None:
    drop_blocked(served, *"abc")
    served.ask("pause")
    served.until(lambda: served.store.queue.counts()["queued"] == 1, "one is let go")
    turbo.works = True
    (probe,) = served.store.queue.next_queued(9)
    served.ask("cancel", tasks=[probe.id])
    served.ask("resume")
    served.until(lambda: served.store.queue.counts()["done"] == 2, "the others are done")
    assert served.state(probe.id) == "cancelled"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("verb", ["cancel", "remove"])
def test_what_a_person_did_to_a_blocked_task_stands(served: Served, turbo: FailingEngine, verb: str) -> None:
    drop_blocked(served, *"abc")
    served.ask(verb, tasks=["b"])
    turbo.works = True
    served.until(lambda: served.store.queue.counts()["done"] == 2, "the others are done")
    assert served.state("jobs/b") == {"cancel": "cancelled", "remove": None}[verb]


def test_a_retry_by_hand_asks_the_engine_again_at_once(served: Served, turbo: FailingEngine) -> None:
    drop_blocked(served, "a", "b")
    turbo.works = True
    assert served.ask("retry", tasks=["b"]).answer == "queued: jobs/b"
    served.until(lambda: served.store.queue.counts()["done"] == 2, "both are done")


def test_a_new_host_looks_anew(places: Places, turbo: FailingEngine) -> None:
    with serving(places, engines_of(turbo)) as served:
        drop_blocked(served, "a", "b")
    turbo.works = True
    with serving(places, engines_of(turbo)) as served:
        served.until(lambda: served.store.queue.counts()["done"] == 2, "both are done")


def test_a_block_is_no_end_of_the_queue(served: Served, turbo: FailingEngine) -> None:
    drop_blocked(served, "a")
    drop(served, "b", model="english")
    served.until_state("jobs/b", "done")
    assert not [entry for entry in served.told if entry.kind == "empty"]
    turbo.works = True
    served.ask("retry", tasks=["a"])
    served.until_told("empty")
    assert served.state("jobs/a") == "done"


def test_a_task_that_needs_nothing_of_the_engine_says_nothing_of_it(served: Served, turbo: FailingEngine) -> None:
    turbo.works = True
    drop(served, "a")
    served.until_state("jobs/a", "done")
    turbo.works = False
    drop_blocked(served, "b")
    served.ask("pause")
    served.drop("again/a.yaml", "model: turbo\npriority: 1\ntext: This is a.\n")
    served.until_state("again/a", "queued")
    served.ask("retry", tasks=["b"])
    served.ask("resume")
    # Its chunk is there already, so that it is done, and the others know no more than before.
    served.until_state("again/a", "done")
    served.until_state("jobs/b", "blocked")
    assert not [entry for entry in served.told if "available again" in entry.message]
