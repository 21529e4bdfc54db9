"""The thread that keeps the queue as the files are."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from cbtui.host.intake_turns import IntakeTurns
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.persistence import GivenUp, Insistence
from cbtui.host.reading import Reader
from cbtui.host.store import attach_store
from cbtui.jobs.watching import Watcher

log = logging.getLogger("cbtui.intake")

_AFTER_A_FAULT = 1.0


class Intake:
    """`look_again` and `stop` may be called from any thread; `on_change` is called when the queue may have changed.

    `caught_up` is set when everything is in the queue that was there at the start.
    """

    def __init__(
        self, watcher: Watcher, reader: Reader, store: Path, *, journal: Journal, on_change: Callable[[], None]
    ) -> None:
        self._watcher = watcher
        self._reader = reader
        self._store_path = store
        self._journal = journal
        self._on_change = on_change
        self._stopped = threading.Event()
        self._asked: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self.caught_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cbtui-intake", daemon=True)

    def start(self) -> None:
        self._watcher.start()
        self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        self._stopped.set()
        self._watcher.stop(seconds)
        if self._thread.is_alive():
            self._thread.join(seconds)

    def look_again(self, path: Path) -> None:
        """Read a file anew, changed or not: it could not be taken over when it was told."""
        self._asked.put(path)

    def _run(self) -> None:
        with attach_store(self._store_path) as store:
            turns = IntakeTurns(
                self._watcher,
                self._reader,
                store,
                insist=Insistence(self._stopped, self._journal),
                asked=self._asked,
                journal=self._journal,
                on_change=self._on_change,
                on_caught_up=self.caught_up.set,
            )
            while not self._stopped.is_set():
                try:
                    turns.turn()
                except GivenUp:
                    return
                except Exception as error:
                    # An intake that died in silence would lose every later file.
                    log.exception("unexpected error in the intake")
                    message = f"an unexpected error while reading task files: {error!r}; going on"
                    self._journal(JournalEntry("folder", message, level="error"))
                    self._stopped.wait(_AFTER_A_FAULT)
