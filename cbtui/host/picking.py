"""The next task: chosen, begun in the store, and read as its file has it at this moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
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
    """Belongs to the engine's thread, but for `in_work`.

    `in_work` are the renderings that have begun; any thread may look. A rendering is there inside of the transaction
    that begins it: whoever finds a task being rendered in the store finds its rendering too.
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
        look_again: Callable[[Path], None],
    ) -> None:
        self._store = store
        self._reader = reader
        self._outcomes = outcomes
        self._insist = insist
        self._journal = journal
        self._overtake = overtake
        self._loaded_models = loaded_models
        self._look_again = look_again
        self.in_work: tuple[Current, ...] = ()
        self._last: Need | None = None

    def begin_next(self, *, beside: Sequence[TaskRow] = (), model: str | None = None) -> Current | None:
        """The rendering of the next task; None where there is none, or the queue is paused. Raises GivenUp.

        With a `model`, only of a task that needs it. One that a host died of is not begun `beside` others: if it is
        what kills, nothing else goes with it.
        """
        if not self._insist(lambda: self._store.queue.next_queued(1)):
            return None
        if any(row.deaths for row in beside):
            return None
        return self._insist(lambda: self._begin_next(alone=not beside, model=model))

    def leave(self, current: Current) -> None:
        """A rendering has come to its end."""
        self.in_work = tuple(each for each in self.in_work if each is not current)

    def _begin_next(self, *, alone: bool, model: str | None) -> Current | None:
        before = self.in_work
        try:
            # What a person does to the queue comes before all of it or after.
            with self._store.transaction():
                return None if self._store.meta.paused else self._choose_and_begin(alone=alone, model=model)
        except BaseException:
            self.in_work = before
            raise

    def _choose_and_begin(self, *, alone: bool, model: str | None) -> Current | None:
        queued = self._store.queue.next_queued(self._overtake + 1)
        choice = choose(queued, self._last, self._loaded_models(), self._overtake)
        if choice is None or (model is not None and choice.task.model != model) or (choice.task.deaths and not alone):
            return None
        if any(each.task.id == choice.task.id for each in self.in_work):
            # It was queued again while the rendering that it had is not settled yet.
            return None
        row = self._store.tasks.begin(choice.task.id, overtaking=choice.overtakes)
        if choice.spared:
            self._store.meta.count("swaps_avoided")
        self._last = Need(row.model, row.voice)
        current = Current(row, self._store, self._journal)
        self.in_work = (*self.in_work, current)
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
