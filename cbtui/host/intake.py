"""The thread that keeps the queue as the files are: what the watcher tells, read and put into the store."""

from __future__ import annotations

import itertools
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cbtui.core.clean import shown_path
from cbtui.core.problem import Problem
from cbtui.core.stamp import Stamp
from cbtui.host.inputs import Inputs
from cbtui.host.intake_journal import tell
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.persistence import GivenUp, Insistence
from cbtui.host.reading import Reader
from cbtui.host.store import (
    FoundTask,
    KnownFile,
    Store,
    StoreBusy,
    StoreFull,
    StoreUnavailable,
    attach_store,
)
from cbtui.host.twins import as_second
from cbtui.jobs.scan import TEXT_KINDS, YAML_KINDS
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
from cbtui.jobs.watching.tree import stamp_of

log = logging.getLogger("cbtui.intake")

# Files read and put in one transaction: few enough that the next file that is dropped does not wait long.
_SLICE = 100
_TURN_SECONDS = 0.25
# What is missing for an invalid file may have been put anywhere.
_INVALID_SECONDS = 2.0
_INVALID_AT_ONCE = 20
# An input written so shortly before it was read may have been read by half.
_FRESH_SECONDS = 2.0
_AFTER_A_FAULT = 1.0


class Intake:
    """`look_again` and `stop` may be called from any thread; `on_change` is called when the queue may have changed."""

    def __init__(
        self, watcher: Watcher, reader: Reader, store: Path, *, journal: Journal, on_change: Callable[[], None]
    ) -> None:
        self._watcher = watcher
        self._reader = reader
        self._store_path = store
        self._journal = journal
        self._on_change = on_change
        self._stopped = threading.Event()
        self._insist = Insistence(self._stopped, journal)
        self._asked: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._pending: dict[Path, Stamp] = {}
        self._slice = _SLICE
        self._unconditional: set[Path] = set()
        self._again: dict[Path, float] = {}
        self._inputs = Inputs(watcher, reader.user_settings)
        self._looked_back = False
        # What was there at the start and was not told yet.
        self._awaited: set[Path] = set()
        self._next_invalid = 0.0
        self._last_invalid = 0
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
            while not self._stopped.is_set():
                try:
                    self._turn(store)
                except GivenUp:
                    return
                except Exception as error:
                    # An intake that died in silence would lose every later file.
                    log.exception("unexpected error in the intake")
                    message = f"an unexpected error while reading task files: {error!r}; going on"
                    self._journal(JournalEntry("folder", message, level="error"))
                    self._stopped.wait(_AFTER_A_FAULT)

    def _turn(self, store: Store) -> None:
        if not self._looked_back:
            self._looked_back = True
            self._insist(lambda: self._look_back(store))
            self._note_whether_caught_up(store)
        timeout = 0.0 if self._pending else _TURN_SECONDS
        told = self._watcher.next_batch(timeout)
        if told:
            self._insist(lambda: self._take(store, told))
        self._ask_again(store)
        if self._pending:
            self._look_at_some(store)
            self._on_change()
        elif self._inputs.changed:
            self._insist(lambda: self._watch_inputs(store))
        if not self.caught_up.is_set():
            self._note_whether_caught_up(store)

    def _look_back(self, store: Store) -> None:
        """What became of the known files while no host ran, and from when on the others are watched."""
        self._watch_inputs(store)
        self._take(store, self._reader.missed(store.files.stamps()))
        self._awaited = self._reader.there()

    def _watch_inputs(self, store: Store) -> None:
        self._read_anew(self._inputs.watch(store))

    def _note_whether_caught_up(self, store: Store) -> None:
        self._awaited = {path for path in self._awaited if os.path.lexists(path)}
        if not self._awaited and not self._pending:
            # Not before: a start that breaks off leaves tasks that were read as the last host read them.
            self._insist(lambda: store.meta.set_overrides(self._reader.overrides))
            self.caught_up.set()

    def _look_at_some(self, store: Store) -> None:
        """One slice of the files that wait. Where something unforeseen is wrong with one, the others go on."""
        some = dict(itertools.islice(self._pending.items(), self._slice))
        for path in some:
            del self._pending[path]
        try:
            self._insist(lambda: self._look(store, some))
        except GivenUp:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about one file, and told with it
            if self._slice > 1:
                self._slice = 1
                self._pending = some | self._pending
                return
            for path, stamp in some.items():
                self._refuse(store, path, stamp, error)
        if not self._pending:
            self._slice = _SLICE

    def _refuse(self, store: Store, path: Path, stamp: Stamp, error: Exception) -> None:
        """Show a file as invalid that could not be read for a reason that nobody foresaw."""
        self._unconditional.discard(path)
        problem = Problem(shown_path(path), f"an unexpected error: {error!r}. The log has more.")
        try:
            found = self._reader.refuse(path, stamp, (problem,), store.files.known([path]).get(path))
            found = self._as_task(store, found, None, {})
            put = self._insist(lambda: store.files.put([found]))
        except GivenUp:
            raise
        except Exception:
            log.exception("%s is passed over", path)
            self._journal(JournalEntry("folder", f"is passed over: {problem}", level="error"))
        else:
            if put.added or put.edited or put.rendering:
                log.error("unexpected error while reading %s", path, exc_info=error)
            tell(self._journal, [found], put)

    def _take(self, store: Store, told: Sequence[Told]) -> None:
        """Note what the watcher told. Where something unforeseen is wrong with one event, the others go on."""
        try:
            with store.transaction():
                for event in told:
                    self._take_one(store, event)
        except (StoreFull, StoreBusy, StoreUnavailable):
            raise
        except Exception as error:
            if len(told) > 1:
                for event in told:
                    self._take(store, [event])
                return
            log.exception("unexpected error at %s", *told)
            self._journal(JournalEntry("folder", f"{told[0]} is passed over: {error!r}", level="error"))
        self._sort_pending(store)
        self._on_change()

    def _sort_pending(self, store: Store) -> None:
        """A file that names a text is read before the text, or with it, so that the text is not taken for a task."""
        texts = [path for path in self._pending if path.suffix.lower() in TEXT_KINDS]
        if not texts or len(store.files.known(texts)) == len(texts):
            return
        naming = [*(path for _, path in store.files.invalid(_SLICE)), *store.files.dismissed(_SLICE), *self._again]
        waiting, self._pending = self._pending, {}
        self._read_anew(path for path in naming if path.suffix.lower() in YAML_KINDS and path not in waiting)
        if len(waiting) > self._slice:
            self._pending |= {path: stamp for path, stamp in waiting.items() if path.suffix.lower() in YAML_KINDS}
        self._pending |= waiting

    def _take_one(self, store: Store, event: Told) -> None:
        match event:
            case FolderTrouble(path, reason, over):
                message = f"{'over: ' if over else ''}{shown_path(path)}: {reason}"
                facts = {"path": str(path), "over": over}
                self._journal(JournalEntry("folder", message, level="info" if over else "warning", facts=facts))
            case SettingsChanged(path):
                self._read_anew(store.files.below(path.parent))
            case ReferenceChanged(path, _):
                everything = path == self._reader.user_settings
                self._read_anew(store.files.below(self._watcher.root) if everything else store.files.reading(path))
            case FileVanished(path, _):
                self._lose(store, path)
            case FileRenamed(old, new, stamp):
                if store.files.rename(old, new):
                    self._journal(JournalEntry("renamed", f"{shown_path(old)} is {shown_path(new)}"))
                self._lose(store, old)
                self._pending[new] = stamp
                self._unconditional.add(new)
                self._awaited.discard(new)
            case FileAppeared(path, stamp) | FileChanged(path, stamp):
                self._pending[path] = stamp
                self._awaited.discard(path)

    def _read_anew(self, paths: Iterable[Path]) -> None:
        for path in paths:
            stamp = stamp_of(str(path))
            if stamp is not None:
                self._pending[path] = stamp
                self._unconditional.add(path)

    def _lose(self, store: Store, path: Path) -> None:
        self._pending.pop(path, None)
        known = store.files.known([path]).get(path)
        cancelled = store.files.lose(path)
        if cancelled:
            self._journal(JournalEntry("cancelled", "its file was deleted", cancelled))
        if known is not None:
            self._release(path for path, _ in known.inputs)
            self._read_anew(store.files.twins(known.task))
            self._inputs.changed = True

    def _release(self, inputs: Iterable[Path]) -> None:
        """A task is no longer read from these: a text among them may be a task of its own."""
        self._read_anew(filter(self._reader.can_be_task, map(self._reader.as_watched, inputs)))

    def _ask_again(self, store: Store) -> None:
        now = time.monotonic()
        if now >= self._next_invalid and not self._pending:
            rows = self._insist(lambda: store.files.invalid(_INVALID_AT_ONCE, after=self._last_invalid))
            self._next_invalid = now + _INVALID_SECONDS
            self._last_invalid = rows[-1][0] if len(rows) == _INVALID_AT_ONCE else 0
            self._read_anew(path for _, path in rows)
        due = [path for path, at in self._again.items() if at <= now]
        for path in due:
            del self._again[path]
        while not self._asked.empty():
            due.append(self._asked.get())
        self._read_anew(due)

    def _look(self, store: Store, files: Mapping[Path, Stamp]) -> None:
        known = store.files.known(files)
        changed = {
            path: stamp
            for path, stamp in files.items()
            if path in self._unconditional or path not in known or not self._reader.is_known(path, stamp, known[path])
        }
        own = {path: stamp for path, stamp in changed.items() if not self._is_text_of_another(store, path)}
        # Of two files of one task, the one that is it already.
        own = dict(sorted(own.items(), key=lambda each: not self._was_valid(store, each[0], known)))
        readings = self._reader.read(own, known)
        with store.transaction():
            named: dict[Path, FoundTask] = {}
            for path in changed.keys() - own.keys():
                self._drop(store, path)
            for reading in readings:
                for text in reading.texts:
                    if text != reading.source:
                        self._drop(store, text)
                if reading.unfinished:
                    self._again[reading.source] = time.monotonic() + _FRESH_SECONDS
                elif reading.found is None:
                    self._drop(store, reading.source)
                else:
                    named[reading.source] = reading.found
            taken: dict[str, Path] = {}
            # A valid file has the first choice of a name.
            for task in sorted(named.values(), key=lambda task: bool(task.problems)):
                named[task.source] = self._as_task(store, task, known.get(task.source), taken)
            found = list(named.values())
            put = store.files.put(found)
        self._unconditional -= files.keys()
        for task in found:
            self._compare(task, known.get(task.source))
        if readings or put.added or put.edited:
            self._inputs.changed = True
        self._watch_fresh_inputs(found)
        tell(self._journal, found, put)

    def _was_valid(self, store: Store, path: Path, known: Mapping[Path, KnownFile]) -> bool:
        return path in known and store.files.holder(known[path].task, ever_valid=True) == path

    def _drop(self, store: Store, text: Path) -> None:
        """A text of another file is no task, once it is not being rendered any more."""
        known = store.files.known([text]).get(text)
        if not store.files.drop(text):
            self._again[text] = time.monotonic() + _FRESH_SECONDS
        elif known is not None:
            self._release(path for path, _ in known.inputs)

    def _compare(self, task: FoundTask, known: KnownFile | None) -> None:
        """What follows from how a file differs from what was known of it."""
        if known is None:
            return
        inputs = [path for path, _ in task.inputs]
        self._release(path for path, _ in known.inputs if path not in inputs)
        if known.state == "invalid" and not task.problems:
            # What mended this one may have mended the next.
            self._next_invalid = 0.0

    def _is_text_of_another(self, store: Store, path: Path) -> bool:
        if path.suffix.lower() in {".yaml", ".yml"}:
            return False
        real = Path(os.path.realpath(path))
        return any(source != path for source in store.files.reading(real))

    def _as_task(self, store: Store, found: FoundTask, known: KnownFile | None, taken: dict[str, Path]) -> FoundTask:
        """The task under a name that no other file has; of two files of one task, the later is invalid."""
        if known is not None and known.state == "rendering" and known.task != found.id:
            # It keeps its name until the rendering is over.
            self._again[found.source] = time.monotonic() + _FRESH_SECONDS

        def holder(task: str, *, ever_valid: bool = False) -> Path | None:
            path = taken.get(task) or store.files.holder(task, ever_valid=ever_valid)
            return path if path is not None and path != found.source and os.path.lexists(path) else None

        other = holder(found.id, ever_valid=not found.problems)
        if other is not None:
            found = as_second(found, other, is_free=lambda name: holder(name) is None)
        else:
            self._displace(store, found)
        taken[found.id] = found.source
        return found

    def _displace(self, store: Store, found: FoundTask) -> None:
        """What had this task's name, a file that is gone or never was valid, loses its entry and may get another."""
        path = store.files.holder(found.id)
        if path is not None and path != found.source:
            self._release(each for each, _ in store.files.known([path])[path].inputs)
            self._read_anew([path])

    def _watch_fresh_inputs(self, found: Iterable[FoundTask]) -> None:
        now = time.time()
        for task in found:
            if any(stamp and abs(now - stamp.mtime_ns / 1e9) < _FRESH_SECONDS for _, stamp in task.inputs):
                self._again.setdefault(task.source, time.monotonic() + _FRESH_SECONDS)
