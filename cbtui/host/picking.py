"""The next task: chosen, begun in the store, and read as its file has it at this moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from cbtui.core.stamp import Stamp
from cbtui.core.task import Task
from cbtui.host.current import Current
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.outcomes import Outcomes
from cbtui.host.persistence import Insistence
from cbtui.host.reading import Reader
from cbtui.host.scheduler import Need, choose
from cbtui.host.store import Store, TaskRow


class Picking:
    """Belongs to the engine's thread. `last` is what was rendered last.

    `announce` hears of a rendering inside of the transaction that begins it, and of None where that fails: whoever
    finds a task being rendered in the store finds its rendering too.
    """

    def __init__(
        self,
        store: Store,
        reader: Reader,
        outcomes: Outcomes,
        *,
        insist: Insistence,
        journal: Journal,
        overtake: int,
        loaded_models: Callable[[], Collection[str]],
        announce: Callable[[Current | None], None],
        look_again: Callable[[Path], None],
    ) -> None:
        self._store = store
        self._reader = reader
        self._outcomes = outcomes
        self._insist = insist
        self._journal = journal
        self._overtake = overtake
        self._loaded_models = loaded_models
        self._announce = announce
        self._look_again = look_again
        self.last: Need | None = None

    def begin_next(self) -> Current | None:
        """The rendering of the next task; None where there is none, or the queue is paused. Raises StoreError."""
        if not self._store.queue.next_queued(1):
            return None
        try:
            # What a person does to the queue comes before all of it or after.
            with self._store.transaction():
                return None if self._store.meta.paused else self._choose_and_begin()
        except BaseException:
            self._announce(None)
            raise

    def _choose_and_begin(self) -> Current | None:
        queued = self._store.queue.next_queued(self._overtake + 1)
        choice = choose(queued, self.last, self._loaded_models(), self._overtake)
        if choice is None:
            return None
        row = self._store.tasks.begin(choice.task.id, overtaking=choice.overtakes)
        if choice.spared:
            self._store.meta.count("swaps_avoided")
        current = Current(row, self._store, self._journal)
        self._announce(current)
        return current

    def read(self, current: Current) -> Task | None:
        """The task as its file has it; None where the file is not what the queue took it for: then it is put anew.

        Raises GivenUp.
        """
        row = current.task
        try:
            stamp = Stamp.of(row.source.lstat())
        except (FileNotFoundError, NotADirectoryError):
            self._lose(row)
            return None
        except OSError as error:
            self._outcomes.block(current, "in use", row.id, f"{row.source}: {error.strerror}.")
            return None
        (reading,) = self._reader.read({row.source: stamp}, self._store.files.known([row.source]))
        found = reading.found
        if reading.task is not None and found is not None and (found.id, found.digest) == (row.id, row.digest):
            return reading.task
        self._insist(lambda: self._store.tasks.give_back(row.id))
        if found is not None and found.id == row.id:
            self._insist(lambda: self._store.files.put([found]))
        else:
            # It is another task by now, which the intake sorts out.
            self._look_again(row.source)
            self._insist.pause(0.2)
        return None

    def _lose(self, row: TaskRow) -> None:
        """Its file is gone; where the whole jobs directory is, the queue waits for it."""

        def write() -> str | None:
            with self._store.transaction():
                self._store.tasks.give_back(row.id)
                return self._store.files.lose(row.source) if is_folder(self._reader.root) else None

        if self._insist(write):
            self._journal(JournalEntry("cancelled", "its file was deleted", row.id))


def is_folder(path: Path) -> bool:
    """Unlike Path.is_dir, False where one may not look."""
    return os.path.isdir(path)  # noqa: PTH112
