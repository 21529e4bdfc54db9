"""Files that were told of, read and put into the queue: which of them are tasks, and under what names."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from cbtui.core.problem import Problem
from cbtui.core.stamp import Stamp
from cbtui.host.inputs import Inputs
from cbtui.host.intake_journal import tell
from cbtui.host.journal import Journal
from cbtui.host.reading import Reader
from cbtui.host.store import FoundTask, KnownFile, Put, Store
from cbtui.host.twins import as_second
from cbtui.host.waiting_files import FRESH_SECONDS, WaitingFiles
from cbtui.jobs.scan import YAML_KINDS


class Takeover:
    """What is to be read because of what was read goes to `waiting`. All of it is the intake's thread's."""

    def __init__(
        self, store: Store, reader: Reader, waiting: WaitingFiles, inputs: Inputs, *, journal: Journal
    ) -> None:
        self._store = store
        self._reader = reader
        self._waiting = waiting
        self._inputs = inputs
        self._journal = journal

    def take(self, files: Mapping[Path, Stamp]) -> bool:
        """Read files and have the queue be as they are. True if one was mended: what mended it may have mended others.

        Raises what the store raises; then nothing was done.
        """
        known = self._store.files.known(files)
        changed = {
            path: stamp
            for path, stamp in files.items()
            if self._waiting.is_unconditional(path)
            or path not in known
            or not self._reader.is_known(path, stamp, known[path])
        }
        own = {path: stamp for path, stamp in changed.items() if not self._is_text_of_another(path)}
        # Of two files of one task, the one that is it already.
        own = dict(sorted(own.items(), key=lambda each: not self._was_valid(each[0], known)))
        readings = self._reader.read(own, known)
        with self._store.transaction():
            named: dict[Path, FoundTask] = {}
            for path in changed.keys() - own.keys():
                self._drop(path)
            for reading in readings:
                for text in reading.texts:
                    if text != reading.source:
                        self._drop(text)
                if reading.unfinished:
                    self._waiting.add_soon(reading.source)
                elif reading.found is None:
                    self._drop(reading.source)
                else:
                    named[reading.source] = reading.found
            taken: dict[str, Path] = {}
            # A valid file has the first choice of a name.
            for task in sorted(named.values(), key=lambda task: bool(task.problems)):
                named[task.source] = self._name(task, known.get(task.source), taken)
            found = list(named.values())
            put = self._store.files.put(found)
        self._waiting.were_read(files)
        for task in found:
            if task.source in known:
                self._release_what_is_no_input_of(task, known[task.source])
        if readings or put.added or put.edited:
            self._inputs.changed = True
        self._watch_fresh_inputs(found)
        tell(self._journal, found, put)
        return any(
            not task.problems and task.source in known and known[task.source].state == "invalid" for task in found
        )

    def refuse(self, path: Path, stamp: Stamp, problem: Problem) -> Put:
        """Show a file as invalid that cannot be read."""
        self._waiting.were_read([path])
        found = self._reader.refuse(path, stamp, (problem,), self._store.files.known([path]).get(path))
        found = self._name(found, None, {})
        put = self._store.files.put([found])
        tell(self._journal, [found], put)
        return put

    def lose(self, path: Path) -> str | None:
        """A file is gone. Returns the task that was cancelled for it."""
        self._waiting.forget(path)
        known = self._store.files.known([path]).get(path)
        cancelled = self._store.files.lose(path)
        if known is not None:
            self._release(path for path, _ in known.inputs)
            self._waiting.add_anew(self._store.files.twins(known.task))
            self._inputs.changed = True
        return cancelled

    def _was_valid(self, path: Path, known: Mapping[Path, KnownFile]) -> bool:
        return path in known and self._store.files.holder(known[path].task, ever_valid=True) == path

    def _is_text_of_another(self, path: Path) -> bool:
        if path.suffix.lower() in YAML_KINDS:
            return False
        real = Path(os.path.realpath(path))
        return any(source != path for source in self._store.files.reading(real))

    def _drop(self, text: Path) -> None:
        """A text of another file is no task, once it is not being rendered any more."""
        known = self._store.files.known([text]).get(text)
        if not self._store.files.drop(text):
            self._waiting.add_soon(text)
        elif known is not None:
            self._release(path for path, _ in known.inputs)

    def _release(self, inputs: Iterable[Path]) -> None:
        """A task is no longer read from these: a text among them may be a task of its own."""
        self._waiting.add_anew(filter(self._reader.can_be_task, map(self._reader.as_watched, inputs)))

    def _release_what_is_no_input_of(self, task: FoundTask, known: KnownFile) -> None:
        inputs = [path for path, _ in task.inputs]
        self._release(path for path, _ in known.inputs if path not in inputs)

    def _name(self, found: FoundTask, known: KnownFile | None, taken: dict[str, Path]) -> FoundTask:
        """The task under a name that no other file has; of two files of one task, the later is invalid."""
        if known is not None and known.state == "rendering" and known.task != found.id:
            # It keeps its name until the rendering is over.
            self._waiting.add_soon(found.source)

        def holder(task: str, *, ever_valid: bool = False) -> Path | None:
            path = taken.get(task) or self._store.files.holder(task, ever_valid=ever_valid)
            return path if path is not None and path != found.source and os.path.lexists(path) else None

        other = holder(found.id, ever_valid=not found.problems)
        if other is not None:
            found = as_second(found, other, is_free=lambda name: holder(name) is None)
        else:
            self._displace(found)
        taken[found.id] = found.source
        return found

    def _displace(self, found: FoundTask) -> None:
        """What had this task's name, a file that is gone or never was valid, loses its entry and may get another."""
        path = self._store.files.holder(found.id)
        if path is not None and path != found.source:
            self._release(each for each, _ in self._store.files.known([path])[path].inputs)
            self._waiting.add_anew([path])

    def _watch_fresh_inputs(self, found: Iterable[FoundTask]) -> None:
        """An input written so shortly before it was read may have been read by half."""
        now = time.time()
        for task in found:
            if any(stamp and abs(now - stamp.mtime_ns / 1e9) < FRESH_SECONDS for _, stamp in task.inputs):
                self._waiting.add_soon_once(task.source)
