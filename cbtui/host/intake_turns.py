"""What the watcher tells, noted and read a slice at a time, so that a file dropped next does not wait long."""

from __future__ import annotations

import logging
import os
import queue
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cbtui.core.clean import shown_path
from cbtui.core.problem import Problem
from cbtui.core.stamp import Stamp
from cbtui.host.inputs import Inputs
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.persistence import GivenUp, Insistence
from cbtui.host.reading import Reader
from cbtui.host.store import Store, StoreBusy, StoreFull, StoreUnavailable
from cbtui.host.takeover import Takeover
from cbtui.host.waiting_files import WaitingFiles
from cbtui.jobs.watching import (
    FileAppeared,
    FileChanged,
    FileRenamed,
    FileVanished,
    FolderTrouble,
    ReferenceChanged,
    SettingsChanged,
    Told,
    Watcher,
)

log = logging.getLogger("cbtui.intake")

# Files read and put in one transaction.
_SLICE = 100
_TURN_SECONDS = 0.25
# What is missing for an invalid file may have been put anywhere.
_INVALID_SECONDS = 2.0
_INVALID_AT_ONCE = 20


class IntakeTurns:
    """One thread's. `asked` are files to be read anew; `on_caught_up` is called once what was there first is told."""

    def __init__(
        self,
        watcher: Watcher,
        reader: Reader,
        store: Store,
        *,
        insist: Insistence,
        asked: queue.SimpleQueue[Path],
        journal: Journal,
        on_change: Callable[[], None],
        on_caught_up: Callable[[], None],
    ) -> None:
        self._watcher = watcher
        self._reader = reader
        self._store = store
        self._insist = insist
        self._asked = asked
        self._journal = journal
        self._on_change = on_change
        self._on_caught_up = on_caught_up
        self._waiting = WaitingFiles()
        self._inputs = Inputs(watcher, reader.user_settings)
        self._takeover = Takeover(store, reader, self._waiting, self._inputs, journal=journal)
        self._slice = _SLICE
        self._looked_back = False
        self._is_caught_up = False
        # What was there at the start and was not told yet.
        self._awaited: set[Path] = set()
        self._next_invalid = 0.0
        self._last_invalid = 0

    def turn(self) -> None:
        """Wait a moment for something to do, and do some of it. Raises GivenUp."""
        if not self._looked_back:
            self._looked_back = True
            self._insist(self._look_back)
            self._note_whether_caught_up()
        told = self._watcher.next_batch(0.0 if self._waiting else _TURN_SECONDS)
        if told:
            self._insist(lambda: self._note(told))
        self._ask_again()
        if self._waiting:
            self._take_some()
            self._on_change()
        elif self._inputs.changed:
            self._insist(self._watch_inputs)
        if not self._is_caught_up:
            self._note_whether_caught_up()

    def _look_back(self) -> None:
        """What became of the known files while no host ran, and from when on the others are watched."""
        self._watch_inputs()
        self._note(self._reader.missed(self._store.files.stamps()))
        self._awaited = self._reader.there()

    def _watch_inputs(self) -> None:
        self._waiting.add_anew(self._inputs.watch(self._store))

    def _note_whether_caught_up(self) -> None:
        self._awaited = {path for path in self._awaited if os.path.lexists(path)}
        if not self._awaited and not self._waiting:
            # Not before: a start that breaks off leaves tasks that were read as the last host read them.
            self._insist(lambda: self._store.meta.set_overrides(self._reader.overrides))
            self._is_caught_up = True
            self._on_caught_up()

    def _note(self, told: Sequence[Told]) -> None:
        """Where something unforeseen is wrong with one event, the others go on.

        Raises StoreFull, StoreBusy and StoreUnavailable; then nothing was noted, and it can be tried again.
        """
        try:
            with self._store.transaction():
                for event in told:
                    self._note_one(event)
        except (StoreFull, StoreBusy, StoreUnavailable):
            raise
        except Exception as error:
            if len(told) == 0:
                raise
            if len(told) > 1:
                for event in told:
                    self._note([event])
                return
            log.exception("unexpected error at %s", *told)
            self._journal(JournalEntry("folder", f"{told[0]} is passed over: {error!r}", level="error"))
        self._sort_waiting()
        self._on_change()

    def _note_one(self, event: Told) -> None:
        files = self._store.files
        match event:
            case FolderTrouble(path, reason, over):
                message = f"{'over: ' if over else ''}{shown_path(path)}: {reason}"
                facts = {"path": str(path), "over": over}
                self._journal(JournalEntry("folder", message, level="info" if over else "warning", facts=facts))
            case SettingsChanged(path):
                self._waiting.add_anew(files.below(path.parent))
            case ReferenceChanged(path, _):
                everything = path == self._reader.user_settings
                self._waiting.add_anew(files.below(self._watcher.root) if everything else files.reading(path))
            case FileVanished(path, _):
                self._lose(path)
            case FileRenamed(old, new, stamp):
                if files.rename(old, new):
                    self._journal(JournalEntry("renamed", f"{shown_path(old)} is {shown_path(new)}"))
                self._lose(old)
                self._waiting.add(new, stamp, unconditionally=True)
                self._awaited.discard(new)
            case FileAppeared(path, stamp) | FileChanged(path, stamp):
                self._waiting.add(path, stamp)
                self._awaited.discard(path)

    def _lose(self, path: Path) -> None:
        cancelled = self._takeover.lose(path)
        if cancelled:
            self._journal(JournalEntry("cancelled", "its file was deleted", cancelled))

    def _sort_waiting(self) -> None:
        """A file that names a text is read before the text, or with it, so that the text is not taken for a task."""
        texts = self._waiting.texts()
        if not texts or len(self._store.files.known(texts)) == len(texts):
            return
        invalid = (path for _, path in self._store.files.invalid(_SLICE))
        self._waiting.sort([*invalid, *self._store.files.dismissed(_SLICE)], most=self._slice)

    def _ask_again(self) -> None:
        now = time.monotonic()
        if now >= self._next_invalid and not self._waiting:
            rows = self._insist(lambda: self._store.files.invalid(_INVALID_AT_ONCE, after=self._last_invalid))
            self._next_invalid = now + _INVALID_SECONDS
            self._last_invalid = rows[-1][0] if len(rows) == _INVALID_AT_ONCE else 0
            self._waiting.add_anew(path for _, path in rows)
        self._waiting.add_due()
        while not self._asked.empty():
            self._waiting.add_anew([self._asked.get()])

    def _take_some(self) -> None:
        """One slice of the files that wait. Where something unforeseen is wrong with one, the others go on."""
        some = self._waiting.take(self._slice)
        try:
            if self._insist(lambda: self._takeover.take(some)):
                self._next_invalid = 0.0
        except GivenUp:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about one file, and told with it
            if self._slice > 1:
                self._slice = 1
                self._waiting.put_back(some)
                return
            for path, stamp in some.items():
                self._refuse(path, stamp, error)
        if not self._waiting:
            self._slice = _SLICE

    def _refuse(self, path: Path, stamp: Stamp, error: Exception) -> None:
        """Show a file as invalid that could not be read for a reason that nobody foresaw."""
        problem = Problem(shown_path(path), f"an unexpected error: {error!r}. The log has more.")
        try:
            put = self._insist(lambda: self._takeover.refuse(path, stamp, problem))
        except GivenUp:
            raise
        except Exception:
            log.exception("%s is passed over", path)
            self._journal(JournalEntry("folder", f"is passed over: {problem}", level="error"))
        else:
            if put.added or put.edited or put.rendering:
                log.error("unexpected error while reading %s", path, exc_info=error)
