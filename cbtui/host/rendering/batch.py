"""Rendering a set of tasks, one after another, in one process: what `cbtui run` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from cbtui.core.task import Task
from cbtui.engine.base import DeviceLost, Engine, EngineUnavailable, OutOfMemory, PreparationStopped
from cbtui.host.rendering.engines import Engines
from cbtui.host.rendering.modes import Mode, Modes, is_rebuild
from cbtui.host.rendering.renderer import Rendered, Renderer
from cbtui.host.rendering.reports import ReportSink
from cbtui.host.rendering.runs import Run, RunInUse, find_runs, holding_task, next_seed, start_run
from cbtui.host.rendering.takes import TakeIndex


def render_tasks(
    tasks: Iterable[Task],
    *,
    engines: Engines,
    modes: Modes,
    report: ReportSink,
    should_stop: Callable[[], bool],
) -> Iterator[Rendered]:
    """Each run's outcome as it ends. Tasks of one model go together, so that each model is loaded once.

    A task whose engine is unavailable gives the outcome `unavailable`, and so do the others that need the same. One
    that memory runs out for says nothing of the others: they may be smaller.
    """
    unavailable: dict[tuple[str, str | None], str] = {}
    for task in _grouped(tasks):
        if should_stop():
            return
        model, every_model = (task.engine, task.model), (task.engine, None)
        known = unavailable.get(every_model) or unavailable.get(model)
        if known:
            yield Rendered(task, None, "unavailable", known)
            continue
        try:
            yield from render_task(task, engines, modes.of(task.job), report=report, should_stop=should_stop)
        except PreparationStopped:
            return
        except EngineUnavailable as error:
            if not isinstance(error, OutOfMemory):
                unavailable[every_model if isinstance(error, DeviceLost) else model] = str(error)
            yield Rendered(task, None, "unavailable", str(error))
        except (RunInUse, OSError) as error:
            yield Rendered(task, None, "failed", str(error))


def render_task(
    task: Task,
    engines: Engines,
    mode: Mode,
    *,
    report: ReportSink,
    should_stop: Callable[[], bool],
    should_yield: Callable[[], bool] = lambda: False,
) -> Iterator[Rendered]:
    """The outcome of each run of one task that the mode is about.

    `should_stop` is asked before every token, `should_yield` before every chunk. Raises EngineUnavailable,
    PreparationStopped, RunInUse and OSError.
    """
    output = engines.places.output
    engine = engines.of(task)
    engine.prepare(emit=report, should_stop=should_stop)
    index = TakeIndex(engines.places.chunk_index)
    renderer = Renderer(engine, index, report=report, should_stop=should_stop, should_yield=should_yield)
    with holding_task(output, task):
        runs = _own_runs(find_runs(output, task), task, engine)
        fresh_seed = task.seed if task.seed is not None else next_seed(runs)
        for run in _chosen(mode, runs) or [start_run(output, task, now=datetime.now())]:
            if should_stop():
                return
            seed = _seed_of(run, task, fresh_seed)
            yield renderer.render(task, run, seed=seed, rebuild=is_rebuild(mode))


def _own_runs(runs: list[Run], task: Task, engine: Engine) -> list[Run]:
    """The runs that this engine made or began: a draft never takes the place of speech. Raises RunInUse."""
    own = []
    for run in runs:
        manifest = run.read_manifest()
        source = manifest.get("source")
        if isinstance(source, str) and not _is_own(Path(source), task):
            raise RunInUse(f"{run.folder} belongs to {source}: give one of the two another name, job or --output-dir")
        facts = manifest.get("engine")
        if not isinstance(facts, dict) or (facts.get("name"), facts.get("model")) == (engine.name, engine.model):
            own.append(run)
    return own


def _is_own(source: Path, task: Task) -> bool:
    """Whether a run made from this file is one of the task: its file, a text that it names, or a file that is gone."""
    # The jobs directory may have been reached by another name.
    real = source.resolve()
    return not source.is_file() or real == task.source.resolve() or real in task.references


def _chosen(mode: Mode, runs: list[Run]) -> list[Run]:
    """The existing runs that a mode is about; none asks for a new one."""
    if mode == "new":
        return []
    return runs if mode in {"all", "all-new"} else runs[-1:]


def _seed_of(run: Run, task: Task, fresh: int) -> int:
    """A run keeps the seed it began with, unless the task asks for a certain one."""
    if task.seed is not None:
        return task.seed
    kept = run.read_manifest().get("seed")
    return kept if isinstance(kept, int) else fresh


def _grouped(tasks: Iterable[Task]) -> list[Task]:
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.engine, task.model), []).append(task)
    return [task for group in groups.values() for task in group]
