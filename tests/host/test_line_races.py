"""What a person asks for while a rendering is just beginning, at a chunk border, or about to end."""

from __future__ import annotations

import threading

import pytest

from cbtui.host.rendering import run_in_progress
from cbtui.host.store import StoreBusy
from cbtui.host.store.queue import Queue
from cbtui.host.store.tasks import Tasks
from tests.host.serving import DEADLINE, Served
from tests.support.gated_engine import GatedEngine

TWO_CHUNKS = """
chunking: {target: 40, limit: 60}
text: |
  This is the first sentence of it.

  This is the second sentence.
"""
ONE_CHUNK = "text: This is all.\n"
BROKEN = "text: [\n"


class Gate:
    """Holds up the assembly of the finished file until a test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        export = run_in_progress.export

        def export_later(*arguments: object) -> object:
            self.reached.set()
            assert self.go_on.wait(DEADLINE)
            return export(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(run_in_progress, "export", export_later)


@pytest.fixture
def engine() -> GatedEngine:
    return GatedEngine()


def begin(served: Served, engine: GatedEngine, content: str = TWO_CHUNKS) -> None:
    """Have jobs/a under way, its first chunk not finished."""
    served.drop("a.yaml", content)
    served.until(lambda: engine.begun, "begun")


def edit(served: Served, content: str) -> None:
    before = len(served.told)
    served.drop("a.yaml", content)
    served.until(lambda: any(e.kind in {"changed", "invalid"} for e in served.told[before:]), "the edit is noticed")


def test_a_paused_task_that_was_at_its_last_chunk_is_done(served: Served, engine: GatedEngine) -> None:
    begin(served, engine, ONE_CHUNK)
    served.ask("pause", tasks=["a"])
    assert served.state("jobs/a") == "paused"
    engine.let()
    row = served.until_state("jobs/a", "done")
    assert (row.attempts, len(served.finals("jobs/a"))) == (0, 1)


def test_a_task_paused_and_resumed_within_a_chunk_is_rendered_once(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    served.ask("pause", tasks=["a"])
    served.ask("resume", tasks=["a"])
    engine.open()
    row = served.until_state("jobs/a", "done")
    assert (row.attempts, len(engine.requests)) == (0, 2)


def test_a_task_cancelled_and_retried_within_a_token_is_rendered(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    numbers = [served.store.commands.post(verb, {"tasks": ["a"]}) for verb in ("cancel", "retry")]
    served.until(lambda: not served.store.commands.waiting(), "both are answered")
    assert [command.state for number in numbers if (command := served.store.commands.get(number))] == ["done", "done"]
    engine.open()
    row = served.until_state("jobs/a", "done")
    assert (row.attempts, len(served.finals("jobs/a")), len(engine.requests)) == (0, 1, 2)


def test_a_cancel_at_the_moment_a_rendering_begins_is_heard(
    served: Served, engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_task = Tasks.begin

    def begin_and_be_cancelled(self: Tasks, task: str, **more: object) -> object:
        row = begin_task(self, task, **more)  # type: ignore[arg-type]
        self._database.insert(
            "INSERT INTO commands (verb, arguments, posted) VALUES ('cancel', ?, 0)", (f'{{"tasks": ["{task}"]}}',)
        )
        return row

    monkeypatch.setattr(Tasks, "begin", begin_and_be_cancelled)
    for number in range(5):
        served.drop(f"{number}.yaml", TWO_CHUNKS)
        served.until_state(f"jobs/{number}", "cancelled")
        served.until(served.host_is_idle, "the line is free")
    assert engine.requests == []


def test_what_is_being_rendered_cannot_be_retried_or_removed(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    assert "is being rendered" in served.ask("retry", tasks=["a"]).answer
    assert "is being rendered" in served.ask("retry", tasks=["a"], fresh=True).answer
    assert "cancel it first" in served.ask("remove", tasks=["a"]).answer
    assert served.state("jobs/a") == "rendering"


@pytest.mark.parametrize("verb", ["cancel", "pause"])
def test_a_task_removed_while_its_chunk_is_made_is_gone_without_a_word(
    served: Served, engine: GatedEngine, verb: str
) -> None:
    begin(served, engine)
    served.drop("b.txt", "Another, so that the line looks what is next.")
    served.until_state("jobs/b", "queued")
    served.ask(verb, tasks=["a"])
    served.ask("remove", tasks=["a"])
    engine.open()
    served.until_state("jobs/b", "done")
    assert served.state("jobs/a") is None
    assert not {"failed", "done", "queued"} & {*served.kinds("jobs/a")}


def test_a_task_cancelled_while_its_file_is_put_together_stays_cancelled(
    served: Served, engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    engine.open()
    begin(served, engine, ONE_CHUNK)
    assert gate.reached.wait(DEADLINE)
    served.ask("cancel", tasks=["a"])
    gate.go_on.set()
    served.until(served.host_is_idle, "the line is free")
    assert served.state("jobs/a") == "cancelled"
    assert "done" not in served.kinds("jobs/a")
    served.ask("retry", tasks=["a"])
    row = served.until_state("jobs/a", "done")
    assert row.result
    assert (row.result.rendered, row.result.reused, len(served.finals("jobs/a"))) == (0, 1, 1)


def test_a_fresh_rendering_asked_for_while_the_old_one_ends_is_made(
    served: Served, engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    engine.open()
    begin(served, engine, ONE_CHUNK)
    assert gate.reached.wait(DEADLINE)
    served.ask("cancel", tasks=["a"])
    served.ask("retry", tasks=["a"], fresh=True)
    gate.go_on.set()
    served.until(lambda: len(served.finals("jobs/a")) == 2, "a second run")
    served.until_state("jobs/a", "done")
    assert not served.store.tasks.get("jobs/a").fresh


def test_a_cancel_of_an_edited_task_stands(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    edit(served, ONE_CHUNK)
    served.ask("cancel", tasks=["a"])
    served.until(lambda: engine.stopped, "the engine stops")
    served.until(served.host_is_idle, "the line is free")
    assert served.state("jobs/a") == "cancelled"
    engine.open()
    served.ask("retry", tasks=["a"])
    served.until_state("jobs/a", "done")
    assert engine.texts == ["This is all."]


def test_a_task_whose_file_broke_is_invalid_once_it_was_resumed(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    edit(served, BROKEN)
    served.ask("pause", tasks=["a"])
    engine.let()
    served.until(served.host_is_idle, "the line is free")
    row = served.until_state("jobs/a", "invalid")
    assert (row.attempts, len(engine.requests)) == (0, 1)
    assert "Mend its file" in served.ask("retry", tasks=["a"]).answer


def test_a_task_whose_file_broke_is_invalid_once_it_made_way(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    edit(served, BROKEN)
    served.ask("pause")
    engine.let()
    served.until_state("jobs/a", "invalid")
    served.ask("resume")
    engine.open()
    served.drop("a.yaml", ONE_CHUNK)
    served.until_state("jobs/a", "done")


def test_a_cancelled_task_whose_file_broke_is_not_retried(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    edit(served, BROKEN)
    served.ask("cancel", tasks=["a"])
    answer = served.ask("retry", tasks=["a"])
    assert (answer.state, "the file of jobs/a is invalid" in answer.answer) == ("refused", True)
    assert served.state("jobs/a") == "cancelled"


def test_a_store_that_is_busy_at_a_chunk_border_fails_no_task(
    served: Served, engine: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(served, engine)
    asked = threading.Event()
    next_queued = Queue.next_queued

    def busy_once(self: Queue, limit: int, **more: object) -> object:
        if not asked.is_set():
            asked.set()
            raise StoreBusy("another process keeps the queue locked")
        return next_queued(self, limit, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Queue, "next_queued", busy_once)
    engine.open()
    row = served.until_state("jobs/a", "done", "failed")
    assert (row.state, asked.is_set(), len(engine.requests)) == ("done", True, 2)


def test_a_jobs_directory_that_is_away_for_a_while_costs_no_task(served: Served, engine: GatedEngine) -> None:
    served.ask("pause")
    served.drop("a.yaml", ONE_CHUNK)
    served.until_state("jobs/a", "queued")
    away = served.places.jobs.rename(served.places.jobs.with_name("away"))
    served.ask("resume")
    served.until(lambda: served.host._line.hold, "the line holds")
    away.rename(served.places.jobs)
    engine.open()
    served.until_state("jobs/a", "done")
