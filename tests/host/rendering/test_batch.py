"""Rendering many tasks: runs that a mode chooses, seeds that runs keep, an engine's trouble kept to its tasks."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cbtui.core.events import EventSink
from cbtui.core.task import Task
from cbtui.engine.base import ChunkRequest, DeviceLost, EngineUnavailable, OutOfMemory
from cbtui.host.rendering import run_takes
from cbtui.host.rendering.batch import render_tasks
from cbtui.host.rendering.engines import Engines
from cbtui.host.rendering.modes import parse_modes
from cbtui.host.rendering.rendered import Rendered
from cbtui.host.rendering.runs import find_runs, holding_task, start_run
from cbtui.paths import Places
from tests.support.fake_engine import Answer, FakeEngine, make_task, speak

TEXT = "One is here. Two is there."


class FakeEngines(Engines):
    """Gives the same fake engine for every task, but for models that are unavailable."""

    def __init__(self, places: Places, *, unavailable: str = "") -> None:
        super().__init__(places)
        self.engine = FakeEngine()
        self.unavailable = unavailable

    def of(self, task: Task) -> FakeEngine:
        if task.model != self.unavailable:
            return self.engine
        broken = FakeEngine()

        def prepare(*, emit: EventSink, should_stop: Callable[[], bool]) -> None:
            raise EngineUnavailable("no weights here")

        broken.prepare = prepare  # type: ignore[method-assign]
        return broken


def render(engines: Engines, *tasks: Task, mode: str = "last") -> list[Rendered]:
    outcomes: list[Rendered] = []
    render_tasks(
        tasks,
        engines=engines,
        modes=parse_modes(mode),
        report=lambda report: None,
        settle=outcomes.append,
        should_stop=lambda: False,
    )
    return outcomes


def seeds(places: Places, task: Task) -> list[int]:
    return [run.read_manifest()["seed"] for run in find_runs(places.output, task)]


def test_last_starts_a_run_and_then_skips_it(places: Places) -> None:
    task = make_task(TEXT)
    assert [each.outcome for each in render(FakeEngines(places), task)] == ["done"]
    assert [each.outcome for each in render(FakeEngines(places), task)] == ["skipped"]
    assert len(find_runs(places.output, task)) == 1


def test_new_starts_a_fresh_run_later_by_name(places: Places) -> None:
    task = make_task(TEXT)
    for _ in range(3):
        render(FakeEngines(places), task, mode="new")
    names = [run.name for run in find_runs(places.output, task)]
    assert len(names) == 3
    assert names == sorted(set(names))


def test_all_is_about_every_run_and_last_about_the_newest(places: Places) -> None:
    task = make_task(TEXT)
    for _ in range(2):
        render(FakeEngines(places), task, mode="new")
    assert len(render(FakeEngines(places), task, mode="all")) == 2
    [last] = render(FakeEngines(places), task)
    assert last.run == find_runs(places.output, task)[-1]


def test_last_new_writes_the_file_anew_without_rendering(places: Places) -> None:
    task = make_task(TEXT)
    render(FakeEngines(places), task)
    engines = FakeEngines(places)
    assert [each.outcome for each in render(engines, task, mode="last-new")] == ["done"]
    assert engines.engine.requests == []


def test_modes_by_job_hold_for_every_job(places: Places) -> None:
    first, second = make_task(TEXT, job="one"), make_task(TEXT, job="two")
    render(FakeEngines(places), first, second)
    outcomes = render(FakeEngines(places), first, second, mode="one:new,two:all")
    assert {each.task.job: each.outcome for each in outcomes} == {"one": "done", "two": "skipped"}
    assert [len(find_runs(places.output, task)) for task in (first, second)] == [2, 1]


def test_without_a_seed_each_new_run_draws_its_own_and_keeps_it(places: Places) -> None:
    task = make_task(TEXT, seed=None)
    render(FakeEngines(places), task)
    render(FakeEngines(places), task, mode="new")
    assert seeds(places, task) == [0, 1]
    engines = FakeEngines(places)
    render(engines, task, mode="all-new")
    assert seeds(places, task) == [0, 1]
    assert engines.engine.requests == []


def test_the_same_seed_again_renders_nothing_twice(places: Places) -> None:
    task = make_task(TEXT, seed=5)
    render(FakeEngines(places), task)
    engines = FakeEngines(places)
    [again] = render(engines, task, mode="new")
    assert again.outcome == "done"
    assert engines.engine.requests == []


def test_tasks_of_one_model_go_together(places: Places) -> None:
    tasks = [
        make_task("A b.", name="a", model="english"),
        make_task("C d.", name="b", model="turbo"),
        make_task("E f.", name="c", model="english"),
    ]
    assert [each.task.name for each in render(FakeEngines(places), *tasks)] == ["a", "c", "b"]


def test_an_unavailable_engine_keeps_no_other_task_back(places: Places) -> None:
    broken, good = make_task(TEXT, name="a", model="turbo"), make_task(TEXT, name="b")
    outcomes = render(FakeEngines(places, unavailable="turbo"), broken, good)
    assert [(each.task.name, each.outcome) for each in outcomes] == [("a", "unavailable"), ("b", "done")]
    assert outcomes[0].reason == "no weights here"
    assert find_runs(places.output, broken) == []


def breaking(places: Places, error: Exception) -> FakeEngines:
    """Every model's engine raises when it is to speak of trouble."""

    def answer(request: ChunkRequest) -> Answer:
        if "Trouble" in request.text:
            raise error
        return speak(request)

    engines = FakeEngines(places)
    engines.engine = FakeEngine(answer)
    return engines


def test_memory_that_runs_out_for_one_task_says_nothing_of_the_next(places: Places) -> None:
    large, small = make_task("One goes. Trouble comes.", name="a"), make_task(TEXT, name="b")
    engines = breaking(places, OutOfMemory("out of memory on cuda"))
    outcomes = render(engines, large, small)
    assert [(each.task.name, each.outcome) for each in outcomes] == [("a", "unavailable"), ("b", "done")]
    assert outcomes[0].reason == "out of memory on cuda"
    # What it had rendered is kept.
    [kept] = find_runs(places.output, large)[0].chunks.glob("*.wav")
    assert kept.name.startswith("0001-")


def test_a_lost_device_is_lost_to_every_model_but_not_to_another_engine(places: Places) -> None:
    tasks = [
        make_task("Trouble.", name="a"),
        make_task(TEXT, name="b"),
        make_task(TEXT, name="c", model="turbo"),
        make_task(TEXT, name="d", engine="espeak"),
    ]
    engines = breaking(places, DeviceLost("the device cuda failed"))
    outcomes = render(engines, *tasks)
    assert [each.outcome for each in outcomes] == ["unavailable", "unavailable", "unavailable", "done"]
    assert {each.reason for each in outcomes[:3]} == {"the device cuda failed"}
    assert engines.engine.texts == ["Trouble.", "One is here.", "Two is there."]


def test_a_task_that_another_process_renders_is_left_alone(places: Places) -> None:
    task = make_task(TEXT)
    with holding_task(places.output, task):
        [outcome] = render(FakeEngines(places), task)
    assert (outcome.outcome, outcome.reason) == ("failed", "another cbtui is rendering job/task")


def test_a_run_label_stands_in_the_name_of_the_run(places: Places) -> None:
    task = make_task(TEXT, run_label="second try / loud")
    run = start_run(places.output, task, now=datetime(2026, 1, 2, 3, 4, 5))
    assert run.name == "20260102-030405-second-try-loud"


@pytest.mark.parametrize("foreign", ["notes", "2026", "20260101-000000.bak"])
def test_other_folders_beside_the_runs_are_not_runs(places: Places, foreign: str) -> None:
    task = make_task(TEXT)
    render(FakeEngines(places), task)
    (find_runs(places.output, task)[0].folder.parent / foreign).mkdir()
    assert len(find_runs(places.output, task)) == 1


def test_a_draft_does_not_take_the_place_of_speech(places: Places) -> None:
    task = make_task(TEXT)
    speech, draft = FakeEngines(places), FakeEngines(places)
    draft.engine.name = "draft"
    [first] = render(speech, task)
    [second] = render(draft, task)
    assert first.run is not None
    assert second.run is not None
    assert second.run.folder != first.run.folder
    [again] = render(speech, task)
    assert (again.outcome, again.run) == ("skipped", first.run)


def test_another_file_of_the_same_job_and_name_is_refused(places: Places, tmp_path: Path) -> None:
    mine, others = tmp_path / "one.yaml", tmp_path / "two.yaml"
    for path in (mine, others):
        path.write_text("text: Hello.")
    [done] = render(FakeEngines(places), replace(make_task(TEXT), source=mine))
    [refused] = render(FakeEngines(places), replace(make_task("Other."), source=others))
    assert refused.outcome == "failed"
    assert str(mine) in refused.reason
    mine.unlink()
    [moved] = render(FakeEngines(places), replace(make_task(TEXT), source=others))
    assert (moved.outcome, moved.run) == ("skipped", done.run)


def test_a_cache_that_cannot_be_written_fails_no_task(places: Places) -> None:
    places.cache.write_text("a file where the folder should be")
    [outcome] = render(FakeEngines(places), make_task(TEXT))
    assert outcome.outcome == "done"


def test_a_run_that_never_began_leaves_no_folder(places: Places) -> None:
    task = make_task("***")
    assert [each.outcome for each in render(FakeEngines(places), task)] == ["failed"]
    assert find_runs(places.output, task) == []


def test_a_full_disk_and_too_little_memory_at_once_leave_an_outcome_for_each(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def answer(request: ChunkRequest) -> Answer:
        if "Two" in request.text:
            threading.Timer(0.05, failed.set).start()
            raise OutOfMemory("no room")
        return speak(request)

    def full(path: Path, *arguments: object) -> None:
        assert failed.wait(30)
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(run_takes, "save_take", full)
    engines = FakeEngines(places)
    engines.engine = FakeEngine(answer)
    outcomes = render(engines, make_task(TEXT), make_task("Other.", name="other"))
    assert {each.task.name: each.outcome for each in outcomes} == {"task": "failed", "other": "failed"}
