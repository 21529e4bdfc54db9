"""Whatever an engine does to one task, the task says so, and the next is rendered."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cbtui.core.events import CacheEvent, EventSink
from cbtui.engine.base import ChunkFailure, ChunkRequest, all_are_wanted
from cbtui.host.options import HookCommands, HostOptions
from cbtui.paths import Places
from tests.host.serving import serving
from tests.support.fake_engine import Answer, FakeEngine, speak

SETTINGS = "max_retries: 2\nseed: 10\nchunking: {target: 40, limit: 60}\n"
BAD = f"{SETTINGS}text: |\n  A fine beginning.\n\n  The bad end of it.\n"


class Panic(BaseException):
    """As a library of Rust raises it."""


class SilentEngine(FakeEngine):
    """Ends without an answer to what is bad."""

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        for request in super().render(requests, emit=emit, should_stop=should_stop, is_wanted=is_wanted):
            if "bad" in self.texts[-1]:
                return
            yield request


class LoadingEngine(FakeEngine):
    """Tells that it loaded its model first."""

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        if not self.requests:
            emit(CacheEvent("model", "tone@fake", hit=False, seconds=20.0))
        yield from super().render(requests, emit=emit, should_stop=should_stop, is_wanted=is_wanted)


def failing(reason: str = "garbled") -> Callable[[ChunkRequest], Answer]:
    return lambda request: ChunkFailure(request.request_id, reason) if "bad" in request.text else speak(request)


def raising(error: BaseException) -> Callable[[ChunkRequest], Answer]:
    def answer(request: ChunkRequest) -> Answer:
        if "bad" in request.text:
            raise error
        return speak(request)

    return answer


def test_a_chunk_is_tried_with_the_next_seeds_and_then_fails_its_task(places: Places) -> None:
    engine = FakeEngine(failing())
    with serving(places, engine) as served:
        served.drop("a.yaml", BAD)
        row = served.until_state("jobs/a", "failed")
        assert row.reason == "chunk 2 (“The bad end of it.”): garbled (after 3 seeds)"
        assert [request.seed for request in engine.requests if "bad" in request.text] == [10, 11, 12]
        assert (row.attempts, row.result and row.result.reason) == (1, row.reason)
        served.drop("b.txt", "Fine.")
        served.until_state("jobs/b", "done")


def test_a_seed_that_helps_makes_the_task_done(places: Places) -> None:
    engine = FakeEngine(lambda request: failing()(request) if request.seed < 12 else speak(request))
    with serving(places, engine) as served:
        served.drop("a.yaml", BAD)
        assert served.until_state("jobs/a", "done", "failed").state == "done"


def test_a_retry_makes_only_what_failed(places: Places) -> None:
    engine = FakeEngine(failing())
    with serving(places, engine) as served:
        served.drop("a.yaml", BAD)
        served.until_state("jobs/a", "failed")
        engine.requests.clear()
        engine._answer = speak
        served.ask("retry", tasks=["a"])
        row = served.until_state("jobs/a", "done")
        assert (engine.texts, row.attempts) == (["The bad end of it."], 0)
        assert len(served.finals("jobs/a")) == 1


def test_an_error_that_nobody_foresaw_fails_its_task_alone(places: Places) -> None:
    engine = FakeEngine()
    errors = (RuntimeError("of nobody's making"), MemoryError(), KeyError("x"), Panic("in a library"), SystemExit(1))
    with serving(places, engine) as served:
        for number, error in enumerate(errors):
            engine._answer = raising(error)
            served.drop(f"{number}.yaml", BAD)
            row = served.until_state(f"jobs/{number}", "failed")
            assert row.reason == f"unexpected error: {error!r}. The log has more."
        served.drop("b.txt", "Fine.")
        served.until_state("jobs/b", "done")


def test_an_engine_that_ends_without_an_answer_fails_the_task(places: Places) -> None:
    with serving(places, SilentEngine()) as served:
        served.drop("a.yaml", BAD)
        assert served.until_state("jobs/a", "failed").reason == "the engine ended without an answer"
        served.drop("b.txt", "Fine.")
        served.until_state("jobs/b", "done")


def test_an_output_folder_that_cannot_be_made_fails_the_task_with_its_path(places: Places) -> None:
    places.output.write_text("a file where a folder should be")
    with serving(places) as served:
        served.drop("a.txt", "Hello.")
        row = served.until_state("jobs/a", "failed")
        assert str(places.output) in row.reason
        places.output.unlink()
        served.ask("retry", tasks=["a"])
        served.until_state("jobs/a", "done")


def test_hooks_hear_what_was_done_what_failed_and_that_nothing_is_left(places: Places, tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    write = f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read())"
    command = (sys.executable, "-c", write)
    options = HostOptions(hooks=HookCommands(task_done=command, task_failed=command, queue_empty=command))
    with serving(places, FakeEngine(failing()), options=options) as served:
        served.ask("pause")
        good = served.drop("a.txt", "Fine.")
        bad = served.drop("b.yaml", BAD)
        served.until(lambda: len(served.states()) == 2, "both are there")
        served.ask("resume")
        served.until(lambda: heard.exists() and heard.read_text().count("\n") == 3, "three events")
    done, failed, empty = (json.loads(line) for line in heard.read_text().splitlines())
    if done["event"] != "task_done":
        done, failed = failed, done
    assert (done["event"], done["task"], done["rendered"]) == ("task_done", "jobs/a", 1)
    assert Path(done["output"]).is_file()
    assert good.exists()
    assert (failed["event"], failed["task"], failed["file"]) == ("task_failed", "jobs/b", str(bad))
    assert failed["reason"].startswith("chunk 2")
    assert empty == {"event": "queue_empty", "counts": {"done": 1, "failed": 1}}


def test_look_ups_of_a_task_that_failed_are_counted(places: Places) -> None:
    with serving(places, LoadingEngine(failing())) as served:
        served.drop("a.yaml", "text: All bad.\n")
        served.until_state("jobs/a", "failed")
        model = next(each for each in served.store.cache_events.sums() if each.layer == "model")
        assert model.misses == 1
