"""From a task to the runs that are to be brought up to date, each holding the task against other processes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from cbtui.core.task import Task
from cbtui.engine.base import Engine
from cbtui.host.rendering.modes import Mode, is_rebuild
from cbtui.host.rendering.reports import ReportSink
from cbtui.host.rendering.run_in_progress import RunInProgress
from cbtui.host.rendering.runs import Run, RunInUse, find_runs, holding_task, next_seed, start_run
from cbtui.host.rendering.takes import TakeIndex
from cbtui.paths import Places


def open_runs(
    task: Task,
    engine: Engine,
    mode: Mode,
    *,
    places: Places,
    report: ReportSink,
    should_stop: Callable[[], bool],
    should_yield: Callable[[], bool] = lambda: False,
) -> list[RunInProgress]:
    """The runs of one task that the mode is about, with an engine that is prepared; each is to be closed.

    Raises RunInUse and OSError.
    """
    with ExitStack() as stack:
        stack.enter_context(holding_task(places.output, task))
        runs = _own_runs(find_runs(places.output, task), task, engine)
        fresh_seed = task.seed if task.seed is not None else next_seed(runs)
        chosen = _chosen(mode, runs) or [start_run(places.output, task, now=datetime.now())]
        hold = _Hold(stack.pop_all(), len(chosen))
        return [
            RunInProgress(
                task,
                run,
                engine,
                index=TakeIndex(places.chunk_index),
                report=report,
                seed=_seed_of(run, task, fresh_seed),
                rebuild=is_rebuild(mode),
                should_stop=should_stop,
                should_yield=should_yield,
                close=hold.leave,
            )
            for run in chosen
        ]


class _Hold:
    """Lets go of a task once all its runs have."""

    def __init__(self, stack: ExitStack, runs: int) -> None:
        self._stack = stack
        self._runs = runs

    def leave(self) -> None:
        self._runs -= 1
        if not self._runs:
            self._stack.close()


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
