"""The disk's share of rendering: beside the engine, and nothing of it is lost or told before it is true."""

from __future__ import annotations

import contextlib
import errno
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cbtui.core.events import ChunkProgressed, EventSink
from cbtui.core.side_thread import MOST_WAITING
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, DeviceLost, all_are_wanted
from cbtui.host.rendering import run_in_progress, run_takes
from cbtui.host.rendering.rendered import Rendered
from cbtui.host.rendering.reports import Report, TakeFinished
from cbtui.host.rendering.run_in_progress import RunInProgress
from cbtui.host.rendering.runs import Run
from cbtui.host.rendering.shared_stream import SharedStream
from cbtui.host.rendering.takes import TakeIndex
from tests.support.batch_engine import BatchEngine
from tests.support.fake_engine import Answer, FakeEngine, make_task, speak, there

SECONDS = 30.0


class Again(Exception):
    """The answer takes another step."""


class Decoding(FakeEngine):
    """Tells of each step, as engines do; the answer may take several."""

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        for request in there(requests):
            self.requests.append(request)
            for step in itertools.count(1):
                emit(ChunkProgressed(request.request_id, step))
                with contextlib.suppress(Again):
                    yield self._answer(request)
                    break


class Disk:
    """Holds back what a module calls `name` until it is opened. Each call is seen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
        self.begun, self.opened = threading.Event(), threading.Event()
        self._do = getattr(module, name)
        monkeypatch.setattr(module, name, self._hold)

    def _hold(self, *arguments: Any) -> Any:
        self.begun.set()
        assert self.opened.wait(SECONDS)
        return self._do(*arguments)


class Bench:
    """Tasks of one chunk each, or of more, through one stream."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.index = TakeIndex(tmp_path / "index")
        self.reports: list[Report] = []
        self.outcomes: dict[str, Rendered] = {}
        self.cancelled: set[str] = set()

    def run(self, text: str, engine: FakeEngine, name: str) -> RunInProgress:
        return RunInProgress(
            make_task(text, name=name),
            Run(self.tmp_path / "output" / name / "20260101-000000", name),
            engine,
            index=self.index,
            report=self.report,
            seed=1,
            should_stop=lambda: name in self.cancelled,
        )

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def settle(self, run: RunInProgress, rendered: Rendered) -> None:
        self.outcomes[run.task.name] = rendered

    def render(
        self,
        answer: Callable[[ChunkRequest], Answer],
        *texts: str,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> FakeEngine:
        """Tasks a, b and so on of these texts, one after the other."""
        engine = Decoding(answer)
        runs = [self.run(text, engine, name) for text, name in zip(texts, "abcdef", strict=False)]
        SharedStream(
            engine,
            lambda: runs.pop(0) if runs else None,
            settle=self.settle,
            should_stop=should_stop,
        ).work()
        return engine

    def takes(self) -> list[Path]:
        return sorted(self.tmp_path.glob("output/*/*/chunks/*.wav"))

    def told(self) -> list[TakeFinished]:
        return [report for report in self.reports if isinstance(report, TakeFinished)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_next_chunk_is_made_while_a_take_is_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, run_takes, "save_take")

    def answer(request: ChunkRequest) -> ChunkResult:
        if "Three" in request.text:
            assert disk.begun.wait(SECONDS)
            # Nothing is told that is not so.
            assert (bench.told(), bench.takes()) == ([], [])
            disk.opened.set()
        return speak(request)

    bench.render(answer, "One is here. Two is there. Three comes last.")
    assert bench.outcomes["a"].outcome == "done"
    assert [take.index for take in bench.told()] == [0, 1, 2]
    assert len(bench.takes()) == 3


def test_the_next_task_is_rendered_while_a_file_is_put_together(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, run_in_progress, "export")

    def answer(request: ChunkRequest) -> ChunkResult:
        if "second" in request.text:
            # The takes are written first.
            if not disk.begun.wait(0.01):
                raise Again
            assert bench.outcomes == {}
            disk.opened.set()
        return speak(request)

    bench.render(answer, "The first task.", "The second task.")
    assert {name: rendered.outcome for name, rendered in bench.outcomes.items()} == {"a": "done", "b": "done"}
    assert all(rendered.final and rendered.final.is_file() for rendered in bench.outcomes.values())


def test_a_disk_that_is_slower_than_the_engine_is_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, run_takes, "save_take")
    made: list[str] = []

    def answer(request: ChunkRequest) -> ChunkResult:
        made.append(request.text)
        if len(made) == MOST_WAITING + 1:
            threading.Timer(0.05, disk.opened.set).start()
        # The one under way and those that may wait; the next only when one of them is written.
        assert len(made) <= MOST_WAITING + 1 or disk.opened.is_set()
        return speak(request)

    bench.render(answer, " ".join(f"Sentence number {number}." for number in range(MOST_WAITING + 4)))
    assert bench.outcomes["a"].rendered == MOST_WAITING + 4


def test_a_take_that_cannot_be_written_fails_its_task_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    save = run_takes.save_take

    def full(path: Path, *arguments: Any) -> None:
        if "/a/" in str(path) and not path.name.startswith("0001"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        save(path, *arguments)

    monkeypatch.setattr(run_takes, "save_take", full)
    bench.render(speak, "One is here. Two is there. Three comes last.", "The second task.")
    failed = bench.outcomes["a"]
    assert failed.outcome == "failed"
    assert "No space left on device" in failed.reason
    # The first that failed is what is told.
    assert "/0002-" in failed.reason
    assert failed.no_room is not None
    assert bench.outcomes["b"].outcome == "done"


def test_a_cancelled_task_is_settled_when_nothing_is_written_for_it_any_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, run_takes, "save_take")

    def answer(request: ChunkRequest) -> ChunkResult:
        if "Two" in request.text:
            assert disk.begun.wait(SECONDS)
            bench.cancelled.add("a")
        elif "second" in request.text:
            assert bench.outcomes == {}
            disk.opened.set()
        return speak(request)

    bench.render(answer, "One is here. Two is there. Three comes last.", "The second task.")
    assert bench.outcomes["a"].outcome == "stopped"
    assert bench.outcomes["a"].rendered == 2
    assert len(bench.takes()) == 3


def test_takes_are_kept_when_the_device_is_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, run_takes, "save_take")

    def answer(request: ChunkRequest) -> ChunkResult:
        if "Two" in request.text:
            assert disk.begun.wait(SECONDS)
            threading.Timer(0.05, disk.opened.set).start()
            raise DeviceLost("gone")
        return speak(request)

    with pytest.raises(DeviceLost):
        bench.render(answer, "One is here. Two is there.")
    assert len(bench.takes()) == 1
    assert len(bench.told()) == 1


def test_what_is_rendered_when_the_caller_stops_is_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, stopped = Disk(monkeypatch, run_takes, "save_take"), threading.Event()

    def answer(request: ChunkRequest) -> ChunkResult:
        stopped.set()
        threading.Timer(0.05, disk.opened.set).start()
        return speak(request)

    bench.render(answer, "One is here. Two is there.", should_stop=stopped.is_set)
    assert bench.outcomes["a"].outcome == "stopped"
    assert (bench.outcomes["a"].rendered, len(bench.takes())) == (1, 1)


def test_a_take_that_is_being_written_is_not_made_for_another_task(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, run_takes, "save_take")

    def answer(request: ChunkRequest) -> ChunkResult:
        if "Other" in request.text:
            assert disk.begun.wait(SECONDS)
            disk.opened.set()
        return speak(request)

    engine = bench.render(answer, "The same words.", "The same words. Other words.")
    assert sorted(engine.texts) == ["Other words.", "The same words."]
    assert {name: rendered.outcome for name, rendered in bench.outcomes.items()} == {"a": "done", "b": "done"}


def test_takes_do_not_wait_for_a_file_that_is_put_together(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, run_in_progress, "export")

    def answer(request: ChunkRequest) -> ChunkResult:
        if "second" in request.text and not disk.begun.wait(0.01):
            raise Again
        if "last" in request.text:
            if len(bench.told()) < 2:
                raise Again
            disk.opened.set()
        return speak(request)

    bench.render(answer, "The first task.", "The second task. Its last words.")
    assert {name: rendered.outcome for name, rendered in bench.outcomes.items()} == {"a": "done", "b": "done"}


def test_a_task_that_fails_while_a_take_of_it_is_written_holds_up_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch, run_takes, "save_take")

    def answer(request: ChunkRequest) -> Answer:
        if "Bad" in request.text:
            assert disk.begun.wait(SECONDS)
            return ChunkFailure(request.request_id, "garbled", retry_with_next_seed=False)
        if "second" in request.text:
            assert bench.outcomes == {}
            disk.opened.set()
        return speak(request)

    engine = bench.render(answer, "Good words. Bad words. More words.", "The second task.")
    assert "More words." not in engine.texts
    assert {name: rendered.outcome for name, rendered in bench.outcomes.items()} == {"a": "failed", "b": "done"}
    assert len(bench.takes()) == 2


@pytest.mark.parametrize(("module", "what"), [(run_takes, "save_take"), (run_in_progress, "export")])
def test_what_nobody_foresaw_at_the_disk_fails_its_task_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, module: ModuleType, what: str
) -> None:
    do = getattr(module, what)

    def stumble(path: Path, *arguments: Any) -> Any:
        if "/a/" in str(path):
            raise ValueError("stumbled")
        return do(path, *arguments)

    monkeypatch.setattr(module, what, stumble)
    bench.render(speak, "One is here. Two is there.", "The second task.")
    assert bench.outcomes["a"].outcome == "failed"
    assert "stumbled" in bench.outcomes["a"].reason
    assert bench.outcomes["b"].outcome == "done"


def test_no_more_time_is_charged_than_passes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = itertools.count()

    def answer(request: ChunkRequest) -> ChunkResult:
        threading.Event().wait(0.002)
        if next(steps) % 10:
            raise Again
        return speak(request)

    def tell(report: Report) -> None:
        if isinstance(report, TakeFinished):
            threading.Event().wait(0.05)

    monkeypatch.setattr(bench, "report", tell)
    started = time.monotonic()
    bench.render(answer, "One is here. Two is there. Three comes last.", "The second task. It has two chunks.")
    passed = time.monotonic() - started
    assert 0 < sum(rendered.work_seconds for rendered in bench.outcomes.values()) <= passed


def test_the_engine_goes_on_while_tasks_that_need_nothing_are_begun(bench: Bench) -> None:
    names = "abcdef"
    bench.render(speak, *(["Done before."] * len(names)))
    bench.outcomes.clear()
    events: list[str] = []
    engine = BatchEngine(3)
    waiting: list[RunInProgress] = []

    def report(report: Report) -> None:
        if isinstance(report, ChunkProgressed):
            events.append("step")
            if events == ["step"]:
                waiting.extend(bench.run("Done before.", engine, name) for name in names)
            if len(bench.outcomes) == len(names):
                engine.open()

    def settle(run: RunInProgress, rendered: Rendered) -> None:
        events.append("settled")
        bench.settle(run, rendered)

    bench.report = report  # type: ignore[method-assign]
    waiting.append(bench.run("In decoding.", engine, "z"))
    SharedStream(
        engine,
        lambda: waiting.pop(0) if waiting else None,
        settle=settle,
        should_stop=lambda: False,
    ).work()
    assert events.count("settled") == len(names) + 1
    assert ("settled", "settled") not in set(itertools.pairwise(events[:-1]))
