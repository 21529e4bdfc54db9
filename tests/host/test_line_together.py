"""Short tasks share the engine's batch: each comes to its own end, and what happens to one is no other's doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cbtui.engine.base import ChunkFailure, ChunkRequest, OutOfMemory
from cbtui.host.store import attach_store, store_path
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.batch_engine import BatchEngine
from tests.support.fake_engine import Answer, speak

LINES = {"a": "One is here.", "b": "Two is there.", "c": "Three comes last."}


@pytest.fixture
def engine() -> BatchEngine:
    return BatchEngine(3)


def sentence(number: int) -> str:
    return f"Sentence number {number} of a book with many of them."


def book(chunks: int) -> str:
    """The file of a task with so many chunks, a sentence each."""
    text = "\n\n".join(f"  {sentence(number)}" for number in range(chunks))
    return f"chunking: {{target: 40, limit: 60}}\ntext: |\n{text}\n"


def drop_lines(served: Served) -> None:
    """Three tasks of a chunk each, all in work at once."""
    with served.store.transaction():
        served.store.meta.set_paused(True)
    for name, text in LINES.items():
        served.drop(f"{name}.txt", text)
    served.until(lambda: len(served.states()) == len(LINES), "all are queued")
    served.ask("resume")


def until_in_work(served: Served, engine: BatchEngine, *names: str) -> None:
    served.until(lambda: sorted(engine.in_work) == sorted(LINES[name] for name in names), f"{names} are in work")


def test_short_tasks_fill_one_batch(served: Served, engine: BatchEngine) -> None:
    drop_lines(served)
    until_in_work(served, engine, *LINES)
    assert set(served.states().values()) == {"rendering"}
    engine.open()
    served.until_idle()
    assert set(served.states().values()) == {"done"}
    assert [len(served.finals(f"jobs/{name}")) for name in LINES] == [1, 1, 1]
    assert engine.loads == 0


def test_each_is_done_as_soon_as_its_own_chunks_are(served: Served, engine: BatchEngine) -> None:
    drop_lines(served)
    until_in_work(served, engine, *LINES)
    engine.let(LINES["c"])
    served.until_state("jobs/c", "done")
    assert served.states() == {"jobs/a": "rendering", "jobs/b": "rendering", "jobs/c": "done"}


def test_what_one_leaves_free_the_next_takes(served: Served, engine: BatchEngine) -> None:
    engine.batch = 2
    drop_lines(served)
    until_in_work(served, engine, "a", "b")
    assert served.state("jobs/c") == "queued"
    engine.let(LINES["b"])
    until_in_work(served, engine, "a", "c")


def test_one_that_comes_later_takes_a_place_that_was_left_free(served: Served, engine: BatchEngine) -> None:
    served.drop("a.txt", LINES["a"])
    until_in_work(served, engine, "a")
    served.drop("b.txt", LINES["b"])
    until_in_work(served, engine, "a", "b")
    engine.let(LINES["b"])
    served.until(lambda: served.state("jobs/b") == "done", "b is done")
    assert served.state("jobs/a") == "rendering"
    served.drop("c.txt", LINES["c"])
    until_in_work(served, engine, "a", "c")


@pytest.mark.parametrize(("away", "back"), [("pause", "resume"), ("cancel", "retry")])
def test_one_that_is_wanted_again_before_it_has_left_begins_when_it_has(
    served: Served, engine: BatchEngine, away: str, back: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cbtui.host.rendering.shared_stream._LOOK_SECONDS", 0.01)
    drop_lines(served)
    until_in_work(served, engine, *LINES)
    served.ask(away, tasks=["jobs/a"])
    served.ask(back, tasks=["jobs/a"])
    engine.let(LINES["b"])
    served.until(lambda: served.state("jobs/b") == "done", "b is done")
    looked = engine.in_vain
    served.until(lambda: engine.in_vain > looked + 5, "the queue is looked at, often enough to do it wrong")
    engine.open()
    served.until_idle()
    assert set(served.states().values()) == {"done"}
    assert not [entry for entry in served.told if entry.kind == "blocked"]


def test_a_cancelled_one_leaves_the_engine_and_the_others_go_on(served: Served, engine: BatchEngine) -> None:
    drop_lines(served)
    until_in_work(served, engine, *LINES)
    served.ask("cancel", tasks=["jobs/b"])
    until_in_work(served, engine, "a", "c")
    assert engine.dropped == [LINES["b"]]
    engine.open()
    served.until_idle()
    assert served.states() == {"jobs/a": "done", "jobs/b": "cancelled", "jobs/c": "done"}
    assert engine.texts.count(LINES["a"]) == engine.texts.count(LINES["c"]) == 1


def test_a_paused_one_finishes_its_chunks_in_work_and_the_others_go_on(served: Served, engine: BatchEngine) -> None:
    served.drop("a.yaml", book(9))
    served.until(lambda: len(engine.in_work) == 3, "three chunks are in work")
    served.ask("pause", tasks=["jobs/a"])
    served.drop("b.txt", LINES["b"])
    engine.open()
    served.until_state("jobs/b", "done")
    assert served.state("jobs/a") == "paused"
    assert engine.texts.count(sentence(0)) == 1
    assert sentence(3) not in engine.texts


@contextmanager
def lines_rendered(places: Places, engine: BatchEngine) -> Iterator[Served]:
    """A host in which the three lines came to what they come to."""
    with serving(places, engine) as served:
        drop_lines(served)
        engine.open()
        served.until_idle()
        yield served


def failing(answer: Callable[[ChunkRequest], Answer]) -> BatchEngine:
    """Answers so to the second line."""
    return BatchEngine(3, lambda request: answer(request) if request.text == LINES["b"] else speak(request))


def raising(error: Exception) -> BatchEngine:
    def answer(request: ChunkRequest) -> Answer:
        raise error

    return failing(answer)


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (failing(lambda request: ChunkFailure(request.request_id, "garbled", retry_with_next_seed=False)), "garbled"),
        (raising(RuntimeError("who knows")), "who knows"),
    ],
    ids=["a failure", "an unexpected error"],
)
def test_what_fails_is_found_to_be_one_task(places: Places, engine: BatchEngine, reason: str) -> None:
    with lines_rendered(places, engine) as served:
        assert served.states() == {"jobs/a": "done", "jobs/b": "failed", "jobs/c": "done"}
        assert reason in served.store.tasks.get("jobs/b").reason


def test_want_of_memory_blocks_the_one_that_needs_more(places: Places) -> None:
    engine = raising(OutOfMemory("out of memory on fake."))
    with lines_rendered(places, engine) as served:
        assert served.states() == {"jobs/a": "done", "jobs/b": "blocked", "jobs/c": "done"}
        assert engine.batch == 1


def test_a_sentence_that_two_tasks_have_in_work_is_rendered_once(places: Places) -> None:
    engine = BatchEngine(3)
    with serving(places, engine) as served:
        served.drop("a.txt", LINES["a"])
        served.until(lambda: engine.in_work, "the first is in work")
        served.drop("b.yaml", book(2) + f"\n  {LINES['a']}\n")
        served.drop("c.txt", LINES["a"])
        served.until_state("jobs/c", "queued", "rendering")
        engine.open()
        served.until_idle()
        assert set(served.states().values()) == {"done"}
        assert engine.texts.count(LINES["a"]) == 1
        assert [row.progress.chunks_done for row in map(served.store.tasks.get, ("jobs/b", "jobs/c"))] == [3, 1]


def test_a_sentence_whose_task_is_cancelled_is_rendered_for_the_other(served: Served, engine: BatchEngine) -> None:
    served.drop("a.txt", LINES["a"])
    served.until(lambda: engine.in_work, "the first is in work")
    served.ask("pause")
    served.drop("b.txt", LINES["a"])
    served.until_state("jobs/b", "queued")
    served.ask("resume")
    served.ask("cancel", tasks=["jobs/a"])
    engine.open()
    served.until_state("jobs/b", "done")
    assert served.state("jobs/a") == "cancelled"


def test_two_tasks_of_one_sentence_do_without_the_one_that_is_cancelled(served: Served, engine: BatchEngine) -> None:
    with served.store.transaction():
        served.store.meta.set_paused(True)
    for name in ("a", "b"):
        served.drop(f"{name}.txt", LINES["a"])
    served.until(lambda: len(served.states()) == 2, "both are queued")
    served.ask("resume")
    served.until(lambda: set(served.states().values()) == {"rendering"}, "both are begun")
    served.until(lambda: engine.in_work == (LINES["a"],), "one of them is in work")
    served.ask("cancel", tasks=["jobs/a"])
    served.until(lambda: engine.dropped and engine.in_work == (LINES["a"],), "the other is in work")
    engine.open()
    served.until_state("jobs/b", "done")
    assert served.state("jobs/a") == "cancelled"


def test_one_that_a_host_died_of_goes_alone(places: Places, engine: BatchEngine) -> None:
    places.jobs.mkdir(parents=True)
    with serving(places, engine) as served:
        drop_lines(served)
        until_in_work(served, engine, *LINES)
        # As a host leaves it that was killed.
        with attach_store(store_path(places)) as store:
            for row in store.tasks.recover():
                assert row.deaths == 1
        engine.open()
    again = BatchEngine(3)
    with serving(places, again) as served:
        again.open()
        served.until_idle()
        assert set(served.states().values()) == {"done"}
        assert again.most <= 1


def test_a_more_urgent_task_gets_the_first_place_that_is_free(served: Served, engine: BatchEngine) -> None:
    served.drop("book.yaml", book(9))
    served.until(lambda: len(engine.in_work) == 3, "the book is in work")
    served.drop("now.yaml", f"priority: 5\ntext: {LINES['a']}\n")
    served.until_state("jobs/now", "queued")
    engine.let(sentence(1))
    served.until(lambda: LINES["a"] in engine.in_work, "the urgent one is in work")
    assert sorted(engine.in_work) == [LINES["a"], sentence(0), sentence(2)]
    engine.open()
    served.until_idle()
    assert served.states() == {"jobs/book": "done", "jobs/now": "done"}


def test_tasks_of_another_model_wait_until_these_are_through(places: Places) -> None:
    engines = {"english": BatchEngine(3), "turbo": BatchEngine(3)}
    with serving(places, lambda model: engines[model]) as served:
        served.drop("a.txt", LINES["a"])
        served.until(lambda: engines["english"].in_work, "a is in work")
        served.drop("b.yaml", f"model: turbo\ntext: {LINES['b']}\n")
        served.until_state("jobs/b", "queued")
        engines["turbo"].open()
        engines["english"].let(LINES["a"])
        served.until_state("jobs/b", "done")


def test_those_in_work_are_told_of(served: Served, engine: BatchEngine) -> None:
    drop_lines(served)
    until_in_work(served, engine, *LINES)
    tell = served.host._live
    served.until(lambda: sorted(tell.read().get("rendering") or []) == ["jobs/a", "jobs/b", "jobs/c"], "all are told")
