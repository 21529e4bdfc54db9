"""The thread that looks at a jobs directory, when hints say so and every few seconds, and tells what it finds."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from cbtui.core.clean import visible
from cbtui.core.stamp import Stamp
from cbtui.jobs.watching.account import Account, in_order
from cbtui.jobs.watching.held_open import is_held_open
from cbtui.jobs.watching.hints import Announce, Hints, announce_changes
from cbtui.jobs.watching.ledger import Look
from cbtui.jobs.watching.mounts import needs_polling
from cbtui.jobs.watching.told import FolderTrouble, Rests, Told
from cbtui.jobs.watching.tree import Sighting, Tree, stamp_of

# Looking at everything takes at most a tenth of the time: so much rest, in times of what the last look took.
_IDLE_SHARE = 9.0
_AFTER_A_FAULT = 1.0  # seconds


class Watcher:
    """Tells, exactly once each, what became whole, changed, vanished or was renamed in the jobs directory `root`.

    Two daemon threads, which end with `stop` or with the process and never raise. `period` is in seconds, from one
    look at everything to the next. `polling` None means: without hints where the file system gives none of what other
    machines do. Every method may be called from any thread.
    """

    def __init__(
        self,
        root: Path,
        *,
        rests: Rests | None = None,
        period: float = 2.0,
        polling: bool | None = None,
        announce: Announce = announce_changes,
    ) -> None:
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - Path.absolute keeps '..'
        self.polling = needs_polling(self.root) if polling is None else polling
        self._period = period
        self._tree = Tree(self.root)
        self._account = _unhurried(rests or Rests()) if self.polling else Account(rests or Rests(), is_held_open)
        self._lock = threading.Lock()
        self._batches: queue.SimpleQueue[tuple[Told, ...]] = queue.SimpleQueue()
        self._faults: set[str] = set()

        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._hinted: set[str] = set()
        self._unannounced: frozenset[str] = frozenset()
        self._lost = True
        self._unsure = False
        self._deaf: str | None = None
        self._next_complete = 0.0
        self._soonest_complete = 0.0

        self._hints = Hints(
            self.root, on_paths=self._hear, on_lost=self.look_now, on_deaf=self._be_deaf, announce=announce
        )
        self._thread = threading.Thread(target=self._run, name="cbtui-watcher", daemon=True)

    def start(self) -> None:
        """Begin; the task files that are there already are the first to be told."""
        if not self.polling:
            self._hints.start()
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End both threads and wake whoever waits for a batch. Waits at most about `timeout` seconds."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._hints.stop(timeout)
        self._batches.put(())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def next_batch(self, timeout: float | None = None) -> tuple[Told, ...]:
        """What came to be known at one time, in the order to work it off; empty when time is over or after `stop`.

        Troubles come first, then settings and references, then what vanished, was renamed, changed and appeared.
        """
        if self._stopped.is_set() and self._batches.empty():
            return ()
        try:
            return self._batches.get(timeout=timeout)
        except queue.Empty:
            return ()

    def watch_also(self, paths: Iterable[Path]) -> Mapping[Path, Stamp | None]:
        """Watch exactly these files that tasks refer to, links followed; those watched before and not named no more.

        Returns what they are at this moment: a caller who read one before compares.
        """
        stamps = {path: stamp_of(str(path)) for path in paths}
        with self._lock:
            self._account.refer_to({str(path): stamp for path, stamp in stamps.items()}, time.monotonic())
        return stamps

    def not_whole_yet(self, path: Path) -> bool:
        """The consumer could not understand the file it was told of.

        True: it may be half of one, and is told once more, as changed, when it has rested long. False: it has.
        """
        with self._lock:
            told_again = self._account.tasks.doubt(str(path), time.monotonic())
        self._wake.set()
        return told_again

    def look_now(self) -> None:
        """Look at everything as soon as may be."""
        self._lost = True
        self._wake.set()

    def _hear(self, paths: Iterable[str]) -> None:
        paths = set(paths)
        if not paths:
            return
        with self._lock:
            self._hinted |= paths
            self._unannounced -= paths
        if str(self.root) in paths:
            # Where the jobs directory was deleted and made again, the old watch stays silent.
            self._hints.restart()
            self._lost = True
        self._wake.set()

    def _be_deaf(self, reason: str | None) -> None:
        self._deaf = reason
        self.look_now()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._wait()
                if not self._stopped.is_set():
                    self._turn()
            except Exception as error:  # noqa: BLE001 - a watcher that died in silence would lose every later file
                self._tell_fault(error)
                self._stopped.wait(_AFTER_A_FAULT)

    def _wait(self) -> None:
        moment = self._complete_due()
        if not self._unsure:
            with self._lock:
                due = self._account.due()
            moment = moment if due is None else min(moment, due)
        self._wake.wait(max(0.0, moment - time.monotonic()))
        self._wake.clear()

    def _turn(self) -> None:
        with self._lock:
            hinted, self._hinted = self._hinted, set()
            waiting = self._account.waiting
            referred = self._account.referred(hinted)
        began = time.monotonic()
        periodic = began >= self._next_complete and not hinted and not self._lost
        if began < self._complete_due() and not self._unsure:
            sighting = self._tree.look_at(hinted | waiting)
            if sighting is not None:
                self._take(sighting, referred, began, complete=False)
                return
            self._lost = self._unsure = True
        if began >= self._complete_due():
            self._look_at_everything()
            if periodic:
                self._suspect_deafness(waiting)

    def _complete_due(self) -> float:
        """When to look at everything: what is lost is looked for sooner, but no look follows hard on another."""
        return min(self._next_complete, self._soonest_complete) if self._lost else self._next_complete

    def _suspect_deafness(self, waiting: frozenset[str]) -> None:
        """Listen anew where what one look found by itself is still not hinted at by the next."""
        with self._lock:
            is_deaf = bool(self._unannounced)
            self._unannounced = self._account.waiting - waiting
        if is_deaf:
            self._hints.restart()

    def _look_at_everything(self) -> None:
        self._lost = self._unsure = False
        began = time.monotonic()
        sighting = self._tree.look()
        with self._lock:
            referred = self._account.referred(None)
        self._take(sighting, referred, began, complete=True)
        ended = time.monotonic()
        rest = _IDLE_SHARE * (ended - began)
        self._soonest_complete = ended + rest
        self._next_complete = ended + max(self._period, rest)

    def _take(self, sighting: Sighting, referred: Iterable[str], began: float, *, complete: bool) -> None:
        references = {path: stamp_of(path) for path in referred}
        look = Look(began, time.monotonic(), {}, complete, sighting.unreadable)
        with self._lock:
            told = self._account.take(sighting, references, look)
            if complete:
                troubles = {*sighting.troubles.items()}
                if self._deaf is not None:
                    troubles.add((str(self.root), f"changes are found by looking every few seconds: {self._deaf}"))
                told += self._account.take_troubles(frozenset(troubles))
        if told:
            self._batches.put(in_order(told))

    def _tell_fault(self, error: Exception) -> None:
        reason = f"an unexpected error while looking, which goes on: {visible(repr(error))}"
        if reason not in self._faults:
            self._faults.add(reason)
            self._batches.put((FolderTrouble(self.root, reason),))


def _unhurried(rests: Rests) -> Account:
    """Where a writer may sit on another machine, nobody can say whether it is done: every file rests long."""
    return Account(replace(rests, brief=rests.long), held_open=lambda path, stamp: False)
