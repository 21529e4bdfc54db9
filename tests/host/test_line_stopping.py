"""Ending a host in the middle of its work: within its bound, and with nothing lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from cbtui.core.events import EventSink
from cbtui.engine.base import ChunkRequest, all_are_wanted
from cbtui.host.line import Line
from cbtui.host.monitor import Monitor
from cbtui.host.persistence import GivenUp, Insistence
from cbtui.host.store import StoreFull, attach_store, store_path
from cbtui.host.store.opening import Store
from cbtui.paths import Places
from tests.host.serving import serving
from tests.support.fake_engine import Answer, FakeEngine, speak, there
from tests.support.gated_engine import GatedEngine

SETTINGS = "chunking: {target: 40, limit: 60}\n"
TWO_CHUNKS = f"{SETTINGS}text: |\n  This is the first sentence of it.\n\n  This is the second.\n"
# A host's bound is `Host.stop`'s 1.5 s and what the other threads take; a machine under load gets more.
BOUND = 8.0


class StuckEngine(FakeEngine):
    """Sits in a call that hears nothing, as those of a C library do, for 10 s or until the test is over."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = threading.Event()
        self.free = threading.Event()
        self.over = threading.Event()

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        for request in there(requests):
            self.stuck.set()
            self.free.wait(10)
            if should_stop():
                self.over.set()
                return
            self.requests.append(request)
            yield speak(request)


def test_a_host_ends_though_its_engine_hears_nothing(places: Places) -> None:
    engine = StuckEngine()
    with serving(places, engine) as served:
        served.drop("a.yaml", TWO_CHUNKS)
        assert engine.stuck.wait(20)
        began = time.monotonic()
        served.host.stop()
        assert time.monotonic() - began < BOUND
        row = served.store.tasks.get("jobs/a")
        assert (row.state, row.attempts, row.deaths) == ("queued", 0, 0)
        served.until_told("stopped", text="the model was still computing")
        engine.free.set()
        assert engine.over.wait(20)
    with serving(places) as served:
        served.until_state("jobs/a", "done")


def test_a_host_ends_within_a_token_and_keeps_what_was_made(places: Places) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("a.yaml", TWO_CHUNKS)
        engine.let()
        served.until(lambda: len(engine.begun) == 2, "the second chunk")
    assert engine.stopped == ["This is the second."]
    engine.open()
    with serving(places, engine) as served:
        row = served.until_state("jobs/a", "done")
        assert (row.attempts, row.deaths, engine.texts.count("This is the first sentence of it.")) == (0, 0, 1)


def test_a_stop_after_the_chunk_keeps_it(places: Places) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("a.yaml", TWO_CHUNKS)
        served.until(lambda: engine.begun, "begun")
        assert "after the chunk" in served.ask("stop", after_chunk=True).answer
        assert not served.host.wait(0)
        engine.let()
        assert served.host.wait(20)
        row = served.store.tasks.get("jobs/a")
        assert (row.state, row.attempts, len(engine.requests)) == ("queued", 0, 1)


def test_a_host_can_be_stopped_twice(places: Places) -> None:
    with serving(places) as served:
        served.host.stop()


def test_who_insists_on_a_full_disk_gives_up_when_the_host_stops() -> None:
    stopped = threading.Event()

    def write() -> None:
        stopped.set()
        raise StoreFull("the disk that holds the queue is full")

    insist = Insistence(stopped, lambda entry: None)
    with pytest.raises(GivenUp):
        insist(write)


def test_a_line_that_cannot_open_the_queue_at_first_tries_again(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = iter([StoreFull("full"), StoreFull("full")])
    attach = attach_store

    def attach_in_the_end(path: object) -> Store:
        if (refusal := next(refusals, None)) is not None:
            raise refusal
        return attach(path)  # type: ignore[arg-type]

    monkeypatch.setattr("cbtui.host.line.attach_store", attach_in_the_end)
    monkeypatch.setattr("cbtui.host.persistence._PAUSE_SECONDS", 0.01)
    with serving(places) as served:
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "done")


def test_an_error_at_every_turn_is_told_once_and_everything_else_goes_on(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def break_down(self: Monitor) -> object:
        seen.append(1)
        raise RuntimeError("no figures")

    monkeypatch.setattr(Monitor, "sample", break_down)
    with serving(places) as served:
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "done")
        served.until(lambda: len(seen) >= 2, "a second time")
        assert served.ask("pause").state == "done"
        assert sum("no figures" in entry.message for entry in served.told) == 1


def test_a_line_whose_turn_breaks_goes_on_with_the_next(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = iter([sqlite3.OperationalError("disk I/O error"), RuntimeError("unforeseen")])
    unload = Line._unload_when_idle

    def break_down(self: Line) -> None:
        if (error := next(broken, None)) is not None:
            raise error
        unload(self)

    monkeypatch.setattr(Line, "_unload_when_idle", break_down)
    with serving(places) as served:
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "done")


def test_a_stop_before_the_run_has_begun_is_no_failure(places: Places) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        # Hears of the stop only after its preparation.
        engine.prepare = lambda *, emit, should_stop: served.until(should_stop, "the stop")  # type: ignore[method-assign]
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "rendering")
    with attach_store(store_path(places)) as store:
        assert (store.tasks.get("jobs/a").state, store.tasks.get("jobs/a").attempts) == ("queued", 0)


def test_a_cancel_before_the_run_has_begun_is_no_failure(places: Places) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        heeded: list[bool] = []

        def prepare(*, emit: EventSink, should_stop: Callable[[], bool]) -> None:
            served.until(should_stop, "the cancel")
            heeded.append(True)

        engine.prepare = prepare  # type: ignore[method-assign]
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "rendering")
        served.ask("cancel", tasks=["a"])
        served.until(served.host_is_idle, "the line is free")
        assert heeded
        assert served.state("jobs/a") == "cancelled"
        assert "failed" not in served.kinds("jobs/a")
