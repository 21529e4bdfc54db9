"""The thread that owns the engine: it takes the next task, renders it, and has written down what came of it."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cbtui.core.events import CacheEvent
from cbtui.core.task import Task
from cbtui.engine.base import DeviceLost, EngineUnavailable, OutOfMemory, PreparationStopped
from cbtui.engine.cache_log import CacheLog
from cbtui.host.blocks import Blocks
from cbtui.host.current import Current
from cbtui.host.doing import Doing
from cbtui.host.faults import Faults
from cbtui.host.hooks import Hooks
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.options import HostOptions
from cbtui.host.outcomes import Outcomes
from cbtui.host.persistence import GivenUp, Insistence
from cbtui.host.picking import Picking, is_folder
from cbtui.host.reading import Reader, model_of
from cbtui.host.rendering.batch import render_task
from cbtui.host.rendering.engines import Engines
from cbtui.host.rendering.renderer import Rendered, full_disk
from cbtui.host.rendering.reports import Report
from cbtui.host.rendering.runs import RunInUse
from cbtui.host.scheduler import Need
from cbtui.host.store import Store, StoreError, UnknownTask, attach_store
from cbtui.host.watchman import Watchman

log = logging.getLogger("cbtui.line")

_TURN_SECONDS = 1.0


class Line:
    """Works the queue off, one task at a time. Its public methods may be called from any thread.

    `look_again` has the intake read a file anew. `restart_wanted` is set when only a new process can go on.
    """

    def __init__(
        self,
        store: Path,
        engines: Engines,
        reader: Reader,
        *,
        options: HostOptions,
        journal: Journal,
        hooks: Hooks,
        look_again: Callable[[Path], None],
        on_finished: Callable[[], None],
    ) -> None:
        self._store_path = store
        self._engines = engines
        self._reader = reader
        self._options = options
        self._journal = journal
        self._hooks = hooks
        self._look_again = look_again
        self._cache_log = CacheLog(engines.places.cache_log)
        self._stopped = threading.Event()
        self._finishing = threading.Event()
        self._on_finished = on_finished
        self._wake = threading.Event()
        self._insist = Insistence(self._stopped, journal)
        self._faults = Faults("notice", journal)
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._blocks = Blocks()
        self._watchman = Watchman(journal)
        self._worked_at = time.monotonic()
        self._has_worked = False
        self.current: Current | None = None
        self.doing = Doing()
        self.restart_wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cbtui-engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End within a token; the task that is being rendered goes back to its place."""
        self._stopped.set()
        self._wake.set()

    def finish(self) -> None:
        """Take no further task, give back the one under way at its next chunk border, then call `on_finished`."""
        self._finishing.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end; whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """Something about the queue changed."""
        self._wake.set()

    def ask(self, action: Callable[[], None]) -> None:
        """Have the engine's thread do this between two tasks."""
        self._asked.put(action)
        self._wake.set()

    def try_again(self) -> None:
        """See at once whether what blocks tasks is gone."""
        self.ask(lambda: self._blocks.make_due(time.monotonic()))

    def restart(self) -> None:
        """The device does nothing more in this process: another is to go on."""
        self.restart_wanted.set()
        self.stop()
        self._on_finished()

    def forget_memory(self) -> None:
        """Models were loaded or unloaded: what memory held before is no measure any more."""
        self._watchman.forget_memory()

    @property
    def hold(self) -> str:
        """Why nothing can be rendered at all; empty where nothing stands in the way."""
        if self._insist.trouble:
            return self._insist.trouble
        if block := self._blocks.full_disk:
            return f"no space left on the disk of {block.place}"
        return "" if is_folder(self._reader.root) else f"the jobs directory {self._reader.root} cannot be reached"

    def should_stop(self) -> bool:
        return self._stopped.is_set()

    def _run(self) -> None:
        # Where it is given up, the host stops.
        with contextlib.suppress(GivenUp), self._insist(lambda: attach_store(self._store_path)) as store:
            outcomes = Outcomes(
                store,
                self._blocks,
                output=self._engines.places.output,
                insist=self._insist,
                journal=self._journal,
                hooks=self._hooks,
                look_again=self._look_again,
            )
            picking = Picking(
                store,
                self._reader,
                outcomes,
                insist=self._insist,
                journal=self._journal,
                overtake=self._options.overtake,
                loaded_models=self._engines.loaded_models,
                announce=self._announce,
                look_again=self._look_again,
            )
            while not self._stopped.is_set():
                try:
                    self._turn(store, outcomes, picking)
                    self._faults.forget()
                except GivenUp:
                    raise
                except Exception as error:  # noqa: BLE001 - it is told
                    # A line that died in silence would leave the queue standing for ever.
                    self._faults.tell(error)
                    self._stopped.wait(_TURN_SECONDS)

    def _announce(self, current: Current | None) -> None:
        self.current = current

    def _turn(self, store: Store, outcomes: Outcomes, picking: Picking) -> None:
        while not self._asked.empty():
            self._asked.get()()
            self._worked_at = time.monotonic()
        outcomes.release_what_is_due()
        if self._finishing.is_set():
            self._on_finished()
            self._stopped.wait(_TURN_SECONDS)
            return
        current = None if self.hold else self._insist(picking.begin_next)
        if current is not None:
            self._has_worked = True
            self._render(store, outcomes, picking, current)
            self._worked_at = time.monotonic()
            return
        if self._has_worked and not self.hold:
            self._tell_if_empty(store)
        self._unload_when_idle()
        due = self._blocks.next_due()
        seconds = _TURN_SECONDS if due is None else min(_TURN_SECONDS, due - time.monotonic())
        self._wake.wait(max(0.01, seconds))
        self._wake.clear()

    def _render(self, store: Store, outcomes: Outcomes, picking: Picking, current: Current) -> None:
        row = current.task
        try:
            task = picking.read(current)
            if task is not None:
                self._render_task(store, outcomes, picking, current, task)
        except GivenUp:
            raise
        except BaseException as error:
            # Whatever one task does to us, the next may be fine; a panic in a library of Rust is no Exception.
            log.exception("unexpected error while rendering %s", row.id)
            outcomes.fail(current, f"unexpected error: {error!r}. The log has more.")
        finally:
            self.doing.end()
            self.current = None

    def _render_task(self, store: Store, outcomes: Outcomes, picking: Picking, current: Current, task: Task) -> None:
        row, model = current.task, model_of(task)
        if held := self._blocks.holding("engine", model, now=time.monotonic()):
            outcomes.block(current, "engine", model, held.reason)
            return
        try:
            rendered = self._with_relief(store, current, task)
        except DeviceLost as error:
            outcomes.survive(current, str(error))
            self.restart()
        except OutOfMemory as error:
            outcomes.block(current, "memory", row.id, str(error))
        except PreparationStopped:
            outcomes.give_back(current)
        except EngineUnavailable as error:
            outcomes.block(current, "engine", model, str(error))
        except RunInUse as error:
            outcomes.block(current, "in use", row.id, f"{error}.")
        except OSError as error:
            outcomes.fail(current, f"{error.filename}: {error.strerror}", no_room=full_disk(error))
        else:
            if rendered.rendered:
                outcomes.forgive(model)
            picking.last = Need(row.model, row.voice)
            outcomes.settle(current, task, rendered)

    def _with_relief(self, store: Store, current: Current, task: Task) -> Rendered:
        """Render; where memory runs out, with a smaller batch, then with no other model beside it."""
        while True:
            try:
                outcomes = render_task(
                    task,
                    self._engines,
                    "new" if current.task.fresh and not current.has_run else "last",
                    report=lambda report: self._listen(current, task, report),
                    should_stop=lambda: self._stopped.is_set() or current.wishes.stop.is_set(),
                    should_yield=lambda: self._should_yield(store, current),
                )
                # The one of the one run that these modes are about.
                rendered = next(iter([*outcomes]), None)
            except OutOfMemory as error:
                relief = self._engines.relieve(task)
                if not relief:
                    raise
                self.forget_memory()
                self._journal(JournalEntry("memory", f"{error} Going on with {relief}.", task.id, "warning"))
            else:
                if rendered is None:
                    raise PreparationStopped
                return rendered

    def _listen(self, current: Current, task: Task, report: Report) -> None:
        self.doing.hear(report)
        if isinstance(report, CacheEvent):
            # A log that cannot grow is no reason to stop working.
            with contextlib.suppress(OSError):
                self._cache_log.append(report)
            if report.layer == "model" and not report.hit:
                self.forget_memory()
        take = current.listen(report)
        if take is not None:
            self._watchman.observe(take, self._engines.of(task).vitals(), current.task)

    def _should_yield(self, store: Store, current: Current) -> bool:
        """Whether the person paused it or the queue, or put something more urgent before it; once so, for good."""
        wish = current.wishes.make_way
        if not wish.is_set() and (self._finishing.is_set() or self._is_overruled(store, current.task.id)):
            wish.set()
        return wish.is_set()

    def _is_overruled(self, store: Store, task: str) -> bool:
        try:
            row = store.tasks.get(task)
            if row.state != "rendering" or store.meta.paused:
                return True
            first = store.queue.next_queued(1)
        except UnknownTask:
            return True
        except StoreError:
            # Rendering needs no store for a while; the next border asks again.
            return False
        return bool(first) and first[0].priority > row.priority

    def _unload_when_idle(self) -> None:
        limit = self._options.idle_unload
        if limit is None or time.monotonic() - self._worked_at < limit or not self._engines.loaded_models():
            return
        names = ", ".join(sorted(self._engines.loaded_models()))
        self._engines.unload()
        self.forget_memory()
        self._journal(JournalEntry("model", f"unloaded {names} after {limit:.0f} s without work"))

    def _tell_if_empty(self, store: Store) -> None:
        """Once it has worked, when nothing is left that it could go on with by itself."""
        counts: dict[str, object] = {state: count for state, count in store.queue.counts().items() if count}
        if store.meta.paused or counts.keys() & {"queued", "blocked"}:
            return
        self._has_worked = False
        self._journal(JournalEntry("empty", "nothing is left to render", facts=counts))
        self._hooks.run("queue_empty", {"counts": counts})
