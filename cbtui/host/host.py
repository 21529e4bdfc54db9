"""The one process that serves a jobs directory: it owns the engine and writes the queue."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

from cbtui.core.clean import visible
from cbtui.host.changed_options import find_changed_options
from cbtui.host.hooks import Hooks
from cbtui.host.intake import Intake
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.line import Line
from cbtui.host.live import LiveFile
from cbtui.host.lock import HostLock
from cbtui.host.monitor import Monitor
from cbtui.host.options import HostOptions
from cbtui.host.reading import Reader
from cbtui.host.rendering.engines import Engines
from cbtui.host.steward import Steward
from cbtui.host.store import Filter, Store, StoreError, StoreFull, attach_store, open_store, store_path
from cbtui.jobs.watching import Watcher


class Host:
    """Three threads over one store: the intake of files, the line that renders, the steward that answers.

    Nothing of it calls into a user interface: front ends read the store. `journal` is called from any of the threads.
    `overrides` are settings of the command line for all tasks; with `kept`, those of the last host, what is finished
    stays as it is, though it would come out otherwise by now. `every_second` is called now and then by a thread of
    the host.
    """

    def __init__(
        self,
        engines: Engines,
        *,
        options: HostOptions,
        overrides: Mapping[str, str],
        kept: Mapping[str, str] | None = None,
        journal: Journal,
        screen: bool = False,
        every_second: Callable[[], None] = lambda: None,
    ) -> None:
        self._places = places = engines.places
        self._journal = journal
        self._screen = screen
        self._lock = HostLock(places)
        self._store_path = store_path(places)
        self._stop_wanted = threading.Event()
        self._hooks = Hooks(options.hooks, journal)
        self._live = LiveFile.of(places)
        reader = Reader(places, overrides, kept)
        self._overrides = overrides
        self._keeps = kept is not None
        self._intake = Intake(Watcher(places.jobs), reader, self._store_path, journal=journal, on_change=self._wake)
        self._line = Line(
            self._store_path,
            engines,
            reader,
            options=options,
            journal=journal,
            hooks=self._hooks,
            look_again=self._intake.look_again,
            on_finished=self._stop_wanted.set,
        )
        self._steward = Steward(
            self._store_path,
            self._line,
            engines,
            monitor=Monitor(
                vitals=engines.vitals,
                device_in_use=engines.device_in_use,
                asked=engines.device,
                on_notice=lambda text: journal(JournalEntry("memory", text)),
            ),
            live=self._live,
            journal=journal,
            on_stop=self._stop_wanted.set,
            every_second=every_second,
        )

    def start(self) -> None:
        """Take the lock, open the queue, put right what a dead host left, and begin.

        Raises HostRunning, StoreError and OSError.
        """
        self._lock.take(screen=self._screen)
        try:
            self._places.jobs.mkdir(parents=True, exist_ok=True)
            opened = open_store(self._store_path)
            with opened.store as store:
                if opened.set_aside:
                    message = (
                        f"the queue could not be read and was set aside as {opened.set_aside}; "
                        "it is made anew from the jobs directory and the finished files"
                    )
                    self._journal(JournalEntry("store", message, level="warning"))
                self._journal(JournalEntry("started", f"watching {self._places.jobs}", facts=self._facts()))
                self._recover(store)
                self._tell_of_changed_options(store)
                self._tell_of_changed_output(store)
            self._intake.start()
        except BaseException:
            self._lock.release()
            raise
        self._line.start()
        self._steward.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the host itself wants to end: a person asked, or only a new process can go on."""
        return self._stop_wanted.wait(seconds)

    def wait_until_taken_in(self, seconds: float) -> bool:
        """Wait until every file that is there has been read; whether that came."""
        return self._intake.caught_up.wait(seconds)

    @property
    def is_rendering(self) -> bool:
        """Whether the engine works on a task at this moment."""
        return bool(self._line.in_work)

    @property
    def restart_wanted(self) -> bool:
        """The device answers nothing more to this process: the front end replaces it."""
        return self._line.restart_wanted.is_set()

    def stop(self, seconds: float = 1.5) -> None:
        """End in order within about `seconds`, also while the model computes: what is rendered is kept.

        A thread that is in the middle of a library call cannot be ended; it ends with the process.
        """
        self._line.stop()
        self._intake.stop(0.2)
        ended = self._line.join(seconds)
        self._steward.stop(0.2)
        self._hooks.close(0.2)
        try:
            with attach_store(self._store_path) as store:
                self._give_back(store)
        except StoreError as error:
            self._journal(JournalEntry("store", f"{error}; the next start puts it right", level="warning"))
        state = "" if ended else "; the model was still computing, what it did is dropped"
        self._journal(JournalEntry("stopped", f"{self._places.jobs} is not watched any more{state}"))
        with contextlib.suppress(OSError):
            self._live.remove()
        self._lock.release()

    def _wake(self) -> None:
        self._line.wake()

    def _recover(self, store: Store) -> None:
        for row in store.tasks.recover():
            if row.state == "quarantined":
                self._journal(JournalEntry("quarantined", row.reason, row.id, "error"))
            else:
                self._journal(JournalEntry("queued", row.reason, row.id, "warning"))
        # Whatever they waited for, it is looked at anew.
        store.tasks.transition_all("blocked", "queued")

    def _tell_of_changed_options(self, store: Store) -> None:
        changed = None if self._keeps else find_changed_options(store, self._overrides)
        if changed is not None and changed.finished:
            message = f"{changed}: {changed.finished} finished tasks are rendered again"
            self._journal(JournalEntry("notice", message, level="warning"))

    def _tell_of_changed_output(self, store: Store) -> None:
        """It may depend on where a person stood when they started the host."""
        former, now = store.meta.get("output"), visible(str(self._places.output.absolute()))
        if former and former != now:
            message = f"the output directory is {now}, it was {former}: runs that were begun there stay there"
            self._journal(JournalEntry("notice", message, level="warning"))
        if former != now:
            # On a full disk the host starts all the same, and tells of it again at the next start.
            with contextlib.suppress(StoreFull):
                store.meta.set("output", now)

    def _give_back(self, store: Store) -> None:
        with store.transaction():
            for row in store.queue.page(limit=100, only=Filter(states=("rendering",))):
                store.tasks.give_back(row.id)

    def _facts(self) -> Mapping[str, object]:
        return {"jobs": str(self._places.jobs), "output": str(self._places.output), "store": str(self._store_path)}
