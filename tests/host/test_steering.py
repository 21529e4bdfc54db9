"""What a person asks of a running host, and what comes of it."""

from __future__ import annotations

import pytest

from cbtui.host.live import LiveFile
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine
from tests.support.gated_engine import GatedEngine

TWO_CHUNKS = """
chunking: {target: 40, limit: 60}
text: |
  This is the first sentence of it.

  This is the second sentence.
"""


@pytest.fixture
def engine() -> GatedEngine:
    return GatedEngine()


def begin(served: Served, engine: GatedEngine, task: str = "a") -> None:
    """Have a task of two chunks under way, its first chunk not finished."""
    served.drop(f"{task}.yaml", TWO_CHUNKS.replace("This is", f"{task} is"))
    served.until(lambda: any(text.startswith(f"{task} is the first") for text in engine.begun), "begun")


def test_a_cancelled_task_ends_within_a_token(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    assert served.ask("cancel", tasks=["jobs/a"]).answer == "cancelled: jobs/a"
    served.until(lambda: engine.stopped, "the engine stops")
    assert served.state("jobs/a") == "cancelled"


def test_a_paused_task_finishes_its_chunk_and_goes_on_with_the_next(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    served.ask("pause", tasks=["a"])
    engine.let()
    served.until(served.host_is_idle, "the line is free")
    assert (served.state("jobs/a"), len(engine.requests)) == ("paused", 1)
    served.ask("resume", tasks=["a"])
    engine.open()
    served.until_state("jobs/a", "done")
    assert [text[:14] for text in engine.texts] == ["a is the first", "a is the secon"]


def test_a_paused_queue_gives_its_task_back_and_takes_none(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    served.ask("pause")
    engine.let()
    row = served.until_state("jobs/a", "queued")
    assert (row.attempts, len(engine.requests)) == (0, 1)
    served.ask("resume")
    engine.open()
    served.until_state("jobs/a", "done")


def test_a_higher_priority_goes_first_at_the_next_chunk_border(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    served.drop("urgent.yaml", "priority: 5\ntext: Now.\n")
    served.until_state("jobs/urgent", "queued")
    engine.let(2)
    served.until_state("jobs/urgent", "done")
    engine.open()
    served.until_state("jobs/a", "done")
    assert [text[:8] for text in engine.texts] == ["a is the", "Now.", "a is the"]


def test_what_is_refused_says_why(served: Served, engine: GatedEngine) -> None:
    engine.open()
    served.drop("a.txt", "Hello.")
    served.until_state("jobs/a", "done")
    assert served.ask("cancel", tasks=["jobs/a"]).answer == "nothing was cancelled: jobs/a is done"
    assert "cbtui retry --fresh" in served.ask("retry", tasks=["a"]).answer
    assert served.ask("pause", tasks=["none"]).answer == "no task 'none' in the queue"
    assert served.ask("dance", tasks=["a"]).answer == "this host knows no command 'dance'"


def test_a_fresh_retry_is_a_new_run(served: Served, engine: GatedEngine) -> None:
    engine.open()
    served.drop("a.txt", "Hello.")
    served.until_state("jobs/a", "done")
    served.ask("retry", tasks=["a"], fresh=True)
    served.until(lambda: len(served.finals("jobs/a")) == 2, "a second run")
    served.until_state("jobs/a", "done")
    assert not served.store.tasks.get("jobs/a").fresh


def test_a_draft_is_not_rendered_afresh_since_it_comes_out_the_same(places: Places) -> None:
    with serving(places, FakeEngine(), overrides={"engine": "espeak"}) as served:
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "done")
        assert "comes out the same each time" in served.ask("retry", tasks=["a"], fresh=True).answer
        assert len(served.finals("jobs/a")) == 1


def test_a_removed_task_stays_out_until_its_file_changes(served: Served, engine: GatedEngine) -> None:
    served.ask("pause")
    served.drop("a.txt", "Hello.")
    served.until_state("jobs/a", "queued")
    assert served.ask("remove", tasks=["a"]).state == "done"
    assert served.state("jobs/a") is None
    served.drop("b.txt", "Another.")
    served.until_state("jobs/b", "queued")
    assert served.state("jobs/a") is None
    served.drop("a.txt", "Hello again.")
    served.until_state("jobs/a", "queued")


def test_moved_tasks_stand_where_they_were_put_in_their_order(served: Served) -> None:
    served.ask("pause")
    for name in "abcd":
        served.drop(f"{name}.txt", f"Hello {name}.")
        served.until_state(f"jobs/{name}", "queued")
    served.ask("move", tasks=["c", "d"], place=1)
    assert [row.id for row in served.store.queue.page(limit=9)] == ["jobs/c", "jobs/d", "jobs/a", "jobs/b"]


@pytest.fixture
def waiting(served: Served) -> Served:
    """A paused queue of three tasks."""
    served.ask("pause")
    for name in "abc":
        served.drop(f"{name}.txt", f"Hello {name}.")
        served.until_state(f"jobs/{name}", "queued")
    return served


@pytest.mark.parametrize(
    ("verb", "arguments", "answer"),
    [
        ("shift", {"tasks": ["a"], "by": -1}, "jobs/a is first already"),
        ("shift", {"tasks": ["b", "a"], "by": -1}, "jobs/a, jobs/b are first already"),
        ("shift", {"tasks": ["c"], "by": 1}, "jobs/c is last already"),
        ("move", {"tasks": ["a"], "place": 1}, "jobs/a is first already"),
        ("move", {"tasks": ["b"], "place": 2}, "jobs/b is there already"),
        ("move", {"tasks": ["c"], "place": 99}, "jobs/c is there already"),
        ("move", {"tasks": ["b"], "place": 0}, "positions begin at 1, which is next"),
    ],
)
def test_a_move_that_changes_nothing_is_refused(
    waiting: Served, verb: str, arguments: dict[str, object], answer: str
) -> None:
    command = waiting.ask(verb, **arguments)
    assert (command.state, command.answer) == ("refused", answer)
    assert [row.id for row in waiting.store.queue.page(limit=9)] == ["jobs/a", "jobs/b", "jobs/c"]


def test_tasks_move_up_past_one_that_stays(waiting: Served) -> None:
    assert waiting.ask("shift", tasks=["a", "c"], by=-1).answer == "moved: jobs/a, jobs/c"
    assert [row.id for row in waiting.store.queue.page(limit=9)] == ["jobs/a", "jobs/c", "jobs/b"]


def test_the_answer_names_the_priorities_that_tasks_came_to(waiting: Served) -> None:
    assert waiting.ask("priority", tasks=["a"], to=5).answer == "priority 5: jobs/a"
    answer = waiting.ask("priority", tasks=["a", "b", "c"], by=1).answer
    assert answer == "priority 6: jobs/a; priority 1: jobs/b, jobs/c"


def test_only_where_something_renders_a_pause_speaks_of_its_chunk(served: Served, engine: GatedEngine) -> None:
    assert served.ask("pause").answer == "the queue is paused"
    served.ask("resume")
    begin(served, engine)
    assert served.ask("pause").answer == "the queue is paused; the chunk that is being rendered is finished"


def test_viewers_are_told_which_engine_is_at_work_and_none_at_rest(served: Served, engine: GatedEngine) -> None:
    live = LiveFile.of(served.places)
    begin(served, engine)
    served.until(lambda: live.read().get("engine") == "chatterbox", "the engine")
    engine.open()
    served.until(lambda: live.read().get("engine", "") is None, "none")
