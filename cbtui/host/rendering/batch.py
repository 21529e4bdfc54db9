"""Rendering a set of tasks in one process: what `cbtui run` does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from cbtui.core.events import Noticed
from cbtui.core.task import Task
from cbtui.engine.base import DeviceLost, EngineUnavailable, OutOfMemory, PreparationStopped
from cbtui.host.rendering.engines import Engines
from cbtui.host.rendering.modes import Modes
from cbtui.host.rendering.opening import open_runs
from cbtui.host.rendering.rendered import Rendered, explain
from cbtui.host.rendering.reports import ReportSink
from cbtui.host.rendering.run_in_progress import RunInProgress
from cbtui.host.rendering.runs import RunInUse
from cbtui.host.rendering.shared_stream import SharedStream


def render_tasks(
    tasks: Iterable[Task],
    *,
    engines: Engines,
    modes: Modes,
    report: ReportSink,
    settle: Callable[[Rendered], None],
    should_stop: Callable[[], bool],
) -> None:
    """Render all tasks, those of one model together; `settle` hears each run's outcome at once.

    A task whose engine is unavailable gives the outcome `unavailable`, and so do the others that need the same. One
    that memory runs out for says nothing of the others: they may be smaller.
    """
    lost: DeviceLost | None = None
    for group in _grouped(tasks):
        if should_stop():
            return
        together = _Together(group, engines, modes, report=report, settle=settle, should_stop=should_stop)
        try:
            if lost is not None and group[0].engine == "chatterbox":
                raise EngineUnavailable(str(lost))
            together.render()
        except PreparationStopped:
            return
        except EngineUnavailable as error:
            lost = error if isinstance(error, DeviceLost) else lost
            for task in together.give_up():
                settle(Rendered(task, None, "unavailable", str(error)))


class _Together:
    """Tasks of one model on their way through its engine."""

    def __init__(
        self,
        tasks: Iterable[Task],
        engines: Engines,
        modes: Modes,
        *,
        report: ReportSink,
        settle: Callable[[Rendered], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self._tasks = deque(tasks)
        # Runs of the task that was taken last, where the mode is about several.
        self._opened: deque[RunInProgress] = deque()
        self._engines = engines
        self._engine = engines.of(self._tasks[0])
        self._modes = modes
        self._report = report
        self._settle = settle
        self._should_stop = should_stop
        self._stream = SharedStream(
            self._engine, self._next_run, settle=lambda run, rendered: settle(rendered), should_stop=should_stop
        )

    def render(self) -> None:
        """Raises EngineUnavailable and PreparationStopped, with tasks left that `give_up` names."""
        self._engine.prepare(emit=self._report, should_stop=self._should_stop)
        while True:
            try:
                self._stream.work()
            except OutOfMemory as error:
                self._relieve(error)
            else:
                return

    def give_up(self) -> list[Task]:
        """Let go of everything; the tasks that have not come to an outcome."""
        opened = [*self._stream.give_up(), *self._opened]
        for run in self._opened:
            run.close()
        # A mode may be about several runs of one task.
        return list({task.id: task for task in (*(run.task for run in opened), *self._tasks)}.values())

    def _next_run(self) -> RunInProgress | None:
        while not self._opened and self._tasks and not self._should_stop():
            task = self._tasks.popleft()
            try:
                self._opened.extend(self._open(task))
            except RunInUse as error:
                self._settle(Rendered(task, None, "failed", str(error)))
            except OSError as error:
                self._settle(Rendered(task, None, "failed", explain(error)))
        return self._opened.popleft() if self._opened else None

    def _open(self, task: Task) -> list[RunInProgress]:
        return open_runs(
            task,
            self._engine,
            self._modes.of(task.job),
            places=self._engines.places,
            report=self._report,
            should_stop=self._should_stop,
        )

    def _relieve(self, error: OutOfMemory) -> None:
        """Make room and go on; where there is no way left, without the run that needs more than there is."""
        if not self._stream.runs:
            # All that were in work have come to an end meanwhile.
            return
        relief = self._engines.relieve(self._stream.runs[0].task)
        if relief:
            self._report(Noticed(f"{error} Going on with {relief}.", "warning"))
            return
        culprit = self._stream.find_culprit()
        if culprit is not None:
            self._settle(Rendered(culprit.task, None, "unavailable", str(error)))


def _grouped(tasks: Iterable[Task]) -> list[list[Task]]:
    """Tasks of one engine and model together, so that each model is loaded once."""
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.engine, task.model), []).append(task)
    return list(groups.values())
