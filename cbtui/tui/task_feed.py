"""The thread between the disk and the task that a person looks at: its run, its sound, its log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.message import Message

from cbtui.core.queue import TaskRow
from cbtui.paths import Places
from cbtui.tui.messages import TaskRead
from cbtui.tui.opened import TaskFacts

if TYPE_CHECKING:
    from cbtui.tui.reading_runs import RunReader

log = logging.getLogger("cbtui.feed")

# A key that repeats comes about every 30 ms.
_SETTLE_SECONDS = 0.12
_LEAST_SECONDS = 0.2
_REST = 5  # times as long as the reading took
# The host writes its log after the queue.
_LAST_LOOK_SECONDS = 1.0


class TaskFeed:
    """Reads the task that is wanted, at once when its row changed; posts TaskRead. The last wish wins.

    `whole` asks for its log and for the lines of an invalid file too. Public methods may be called from any thread
    and never wait.
    """

    def __init__(self, places: Places, post: Callable[[Message], object], *, whole: bool = False) -> None:
        self._places = places
        self._post = post
        self._whole = whole
        self._wanted: TaskRow | None = None
        self._wanted_since = 0.0
        self._posted: TaskFacts | None = None
        self._wake = threading.Event()
        self._moved = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def want(self, row: TaskRow | None) -> None:
        """Read this task from now on, and again for every other row of it."""
        before, self._wanted = self._wanted, row
        if row == before:
            return
        if row is None or before is None or row.id != before.id:
            self._wanted_since = time.monotonic()
            self._posted = None
            self._moved.set()
        self._wake.set()
        if self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._run, name="cbtui-task-feed", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._moved.set()
        self._wake.set()

    def _run(self) -> None:
        from cbtui.audio.peaks import Abandoned
        from cbtui.tui.reading_runs import RunReader

        reader = RunReader(self._places)
        looks_again = False
        while not self._stopped.is_set():
            looks_again = self._wake.wait(_LAST_LOOK_SECONDS if looks_again else None)
            self._wake.clear()
            self._moved.clear()
            # Of tasks that a person only passes by, nothing is read.
            while (left := self._wanted_since + _SETTLE_SECONDS - time.monotonic()) > 0:
                self._stopped.wait(left)
            row = self._wanted
            if row is None or self._stopped.is_set():
                continue
            began = time.monotonic()
            try:
                self._read(reader, row)
            except Abandoned:
                continue
            except Exception as error:
                log.exception("unexpected error while reading %s", row.id)
                self._tell(TaskFacts(row.id, notes=(f"it cannot be shown: {error!r}. The log has more.",)))
            # A book has thousands of takes, and this thread takes its time from the engine's.
            self._moved.wait(max(_LEAST_SECONDS, _REST * (time.monotonic() - began)))

    def _read(self, reader: RunReader, row: TaskRow) -> None:
        """Tell what is quickly found, then how it sounds. Raises Abandoned."""
        facts = self._texts(row)
        try:
            run = reader.read(row)
        except OSError as error:
            self._tell(replace(facts, notes=(f"{error.filename}: {error.strerror}",)))
            return
        if run is None:
            self._tell(replace(facts, notes=tuple(reader.notes)))
            return
        before = self._posted
        if before is None or before.run is None or before.run.folder != run.folder:
            self._tell(replace(facts, run=run, notes=tuple(reader.notes)))
        run, sound = reader.hear(run, lambda: self._is_abandoned(row))
        self._tell(replace(facts, run=run, sound=sound, notes=tuple(reader.notes)))

    def _texts(self, row: TaskRow) -> TaskFacts:
        from cbtui.tui.reading_texts import read_excerpt, read_log_of

        if not self._whole:
            return TaskFacts(row.id)
        return TaskFacts(row.id, excerpt=read_excerpt(row), log=read_log_of(row.id, self._places.log))

    def _is_abandoned(self, row: TaskRow) -> bool:
        wanted = self._wanted
        return self._stopped.is_set() or wanted is None or wanted.id != row.id

    def _tell(self, facts: TaskFacts) -> None:
        if facts != self._posted and not self._stopped.is_set():
            self._posted = facts
            self._post(TaskRead(facts))
