"""The tasks in work: one that was begun, and beside it those of the same model that fill the engine's batch."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable

from cbtui.core.events import CacheEvent
from cbtui.core.task import Task
from cbtui.engine.base import DeviceLost, Engine, EngineUnavailable, OutOfMemory, PreparationStopped
from cbtui.engine.cache_log import CacheLog
from cbtui.host.blocks import Blocks
from cbtui.host.current import Current, write_progress
from cbtui.host.doing import Doing
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.outcomes import Outcomes
from cbtui.host.persistence import GivenUp
from cbtui.host.picking import Picking
from cbtui.host.reading import model_of
from cbtui.host.rendering.engines import Engines
from cbtui.host.rendering.opening import open_runs
from cbtui.host.rendering.rendered import Rendered, explain, full_disk, unexpected
from cbtui.host.rendering.reports import Report
from cbtui.host.rendering.run_in_progress import RunInProgress
from cbtui.host.rendering.runs import RunInUse
from cbtui.host.rendering.shared_stream import SharedStream
from cbtui.host.store import Store, StoreError, UnknownTask
from cbtui.host.watchman import Watchman

log = logging.getLogger("cbtui.line")

# How often progress in tokens and cache look-ups are written down. Each time costs an fsync.
_WRITE_SECONDS = 0.4


class Working:
    """Renders with the engine's thread, to which it belongs. What came of each task goes to `outcomes`.

    `may_begin` tells whether a further task may be begun beside those in work, `must_yield` whether all are to make
    way at the next border of two chunks, `should_stop` whether all are to end within a token.
    """

    def __init__(
        self,
        store: Store,
        engines: Engines,
        picking: Picking,
        outcomes: Outcomes,
        *,
        blocks: Blocks,
        cache_log: CacheLog,
        doing: Doing,
        journal: Journal,
        may_begin: Callable[[], bool],
        must_yield: Callable[[], bool],
        should_stop: Callable[[], bool],
        on_lost: Callable[[], None],
        watchman: Watchman,
    ) -> None:
        self._store = store
        self._engines = engines
        self._picking = picking
        self._outcomes = outcomes
        self._blocks = blocks
        self._cache_log = cache_log
        self._doing = doing
        self._journal = journal
        self._may_begin = may_begin
        self._must_yield = must_yield
        self._should_stop = should_stop
        self._on_lost = on_lost
        self._watchman = watchman
        self._currents: dict[RunInProgress, Current] = {}
        self._written_at = time.monotonic()

    def render(self, first: Current) -> None:
        """Bring this task, and those that are begun beside it, to an outcome. Raises GivenUp."""
        opened = self._open(first)
        if opened is None:
            return
        model, engine = first.task.model, self._engines.of(opened.task)
        waiting = [opened]
        stream = SharedStream(
            engine,
            lambda: waiting.pop() if waiting else self._open_next(model),
            settle=self._settle,
            should_stop=self._should_stop,
        )
        try:
            while not self._is_through(stream, model):
                pass
        except GivenUp:
            raise
        except BaseException as error:
            log.exception("unexpected error while rendering")
            stream.give_up()
            for run in waiting:
                run.close()
            for run in list(self._currents):
                self._outcomes.fail(self._leave(run), unexpected(error))
        finally:
            self._doing.end()

    def _is_through(self, stream: SharedStream, model: str) -> bool:
        """Work until no task is left, or something happens to the engine; whether there is no more to be done."""
        try:
            stream.work()
        except GivenUp:
            raise
        except PreparationStopped:
            self._for_all(stream, self._outcomes.give_back)
        except DeviceLost as error:
            reason = str(error)
            self._for_all(stream, lambda current: self._outcomes.survive(current, reason))
            self._on_lost()
        except OutOfMemory as error:
            self._relieve(stream, error)
            return False
        except EngineUnavailable as error:
            reason = str(error)
            self._for_all(stream, lambda current: self._outcomes.block(current, "engine", model, reason))
        except BaseException as error:
            # Whatever one task does to us, the next may be fine; a panic in a library of Rust is no Exception.
            if not stream.runs:
                raise
            log.exception("unexpected error while rendering %s", ", ".join(run.task.id for run in stream.runs))
            culprit = stream.find_culprit()
            if culprit is not None:
                self._outcomes.fail(self._leave(culprit), unexpected(error))
            return False
        return True

    def _relieve(self, stream: SharedStream, error: OutOfMemory) -> None:
        """Go on with a smaller batch, or with no other model beside it, or without the task that needs more."""
        if not stream.runs:
            # All that were in work are not wanted any more.
            return
        task = stream.runs[0].task
        relief = self._engines.relieve(task)
        if relief:
            self._watchman.forget_memory()
            self._journal(JournalEntry("memory", f"{error} Going on with {relief}.", task.id, "warning"))
            return
        culprit = stream.find_culprit()
        if culprit is not None:
            self._outcomes.block(self._leave(culprit), "memory", culprit.task.id, str(error))

    def _for_all(self, stream: SharedStream, settle: Callable[[Current], object]) -> None:
        for run in stream.give_up():
            settle(self._leave(run))

    def _settle(self, run: RunInProgress, rendered: Rendered) -> None:
        current = self._currents[run]
        if rendered.rendered:
            self._outcomes.forgive(current.task.model)
        self._outcomes.settle(current, run.task, rendered)
        self._leave(run)

    def _leave(self, run: RunInProgress) -> Current:
        current = self._currents.pop(run)
        self._picking.leave(current)
        return current

    def _open_next(self, model: str) -> RunInProgress | None:
        """A run of the next task of the queue, if it needs this model and can be begun beside the others."""
        while self._may_begin():
            current = self._picking.begin_next(beside=[each.task for each in self._currents.values()], model=model)
            if current is None:
                return None
            run = self._open(current)
            if run is not None:
                return run
        return None

    def _open(self, current: Current) -> RunInProgress | None:
        """The run that brings a task up to date; None where nothing can, and why is written down."""
        run: RunInProgress | None = None
        try:
            task = self._picking.read(current)
            if task is not None and not self._is_held(current, model_of(task)):
                run = self._open_run(current, task)
        except GivenUp:
            raise
        except BaseException as error:
            log.exception("unexpected error before rendering %s", current.task.id)
            self._outcomes.fail(current, unexpected(error))
        if run is None:
            self._picking.leave(current)
        else:
            self._currents[run] = current
        return run

    def _is_held(self, current: Current, model: str) -> bool:
        held = self._blocks.holding("engine", model, now=time.monotonic())
        if held is not None:
            self._outcomes.block(current, "engine", model, held.reason)
        return held is not None

    def _open_run(self, current: Current, task: Task) -> RunInProgress | None:
        row, engine = current.task, self._engines.of(task)
        try:
            engine.prepare(
                emit=lambda report: self._listen(current, engine, report),
                should_stop=lambda: self._should_stop() or current.wishes.stop.is_set(),
            )
            # The one of the one run that these modes are about.
            (run,) = open_runs(
                task,
                engine,
                "new" if row.fresh else "last",
                places=self._engines.places,
                report=lambda report: self._listen(current, engine, report),
                should_stop=current.wishes.stop.is_set,
                should_yield=lambda: self._should_yield(current),
            )
        except PreparationStopped:
            self._outcomes.give_back(current)
        except OutOfMemory as error:
            self._outcomes.block(current, "memory", row.id, str(error))
        except EngineUnavailable as error:
            self._outcomes.block(current, "engine", model_of(task), str(error))
        except RunInUse as error:
            self._outcomes.block(current, "in use", row.id, f"{error}.")
        except OSError as error:
            self._outcomes.fail(current, explain(error), no_room=full_disk(error))
        else:
            return run
        return None

    def _listen(self, current: Current, engine: Engine, report: Report) -> None:
        self._doing.hear(report)
        if isinstance(report, CacheEvent):
            # A log that cannot grow is no reason to stop working.
            with contextlib.suppress(OSError):
                self._cache_log.append(report)
            if report.layer == "model" and not report.hit:
                self._watchman.forget_memory()
        take = current.listen(report)
        if take is not None:
            self._watchman.observe(take, engine.vitals(), current.task)
        if time.monotonic() - self._written_at > _WRITE_SECONDS:
            for run, each in self._currents.items():
                each.chunks = run.chunks_in_work
            write_progress(self._store, list(self._currents.values()))
            self._written_at = time.monotonic()

    def _should_yield(self, current: Current) -> bool:
        """Whether the person paused it or the queue, or put something more urgent before it; once so, for good."""
        wish = current.wishes.make_way
        if not wish.is_set() and (self._must_yield() or self._is_overruled(current.task.id)):
            wish.set()
        return wish.is_set()

    def _is_overruled(self, task: str) -> bool:
        try:
            row = self._store.tasks.get(task)
            if row.state != "rendering" or self._store.meta.paused:
                return True
            first = self._store.queue.next_queued(1)
        except UnknownTask:
            return True
        except StoreError:
            # Rendering needs no store for a while; the next border asks again.
            return False
        return bool(first) and first[0].priority > row.priority
