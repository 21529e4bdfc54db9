"""What the queue knows of the files that its tasks came from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cbtui.core.queue import KnownFile
from cbtui.core.stamp import Stamp
from cbtui.host.store.database import Database
from cbtui.host.store.values import path_from_bytes, path_to_bytes, storable

# The stamp of a task whose file is gone.
NO_FILE = str(Stamp(0, 0, 0, 0))
# SQLite compares at most so many values at once in builds of every age.
_MOST_VALUES = 500


class KnownFiles:
    """Answers from the store alone: what is on disk by now may be something else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, sources: Iterable[Path]) -> dict[Path, KnownFile]:
        """What is known of these task files; those of no task are left out."""
        known: dict[Path, KnownFile] = {}
        waiting = [path_to_bytes(source) for source in sources]
        while waiting:
            some, waiting = waiting[:_MOST_VALUES], waiting[_MOST_VALUES:]
            holders = ", ".join("?" * len(some))
            # The holders are question marks alone.
            rows = self._database.read(f"SELECT * FROM tasks WHERE source IN ({holders})", some)  # noqa: S608
            for row in rows:
                known[path_from_bytes(row["source"])] = KnownFile(
                    task=row["id"],
                    state=row["state"],
                    stamp=Stamp.parse(row["stamp"]),
                    surroundings=row["surroundings"],
                    inputs=self._inputs_of(row["number"]),
                )
        return known

    def holder(self, task: str, *, ever_valid: bool = False) -> Path | None:
        """The file of this task, if the queue has the task and the file was there when last looked for.

        `ever_valid`: and if it was valid, then or before.
        """
        rows = self._database.read(
            "SELECT source FROM tasks WHERE id = ? AND stamp <> ? AND (digest <> '' OR NOT ?)",
            (storable(task), NO_FILE, ever_valid),
        )
        return path_from_bytes(rows[0]["source"]) if rows else None

    def stamps(self) -> dict[Path, Stamp]:
        """The files of all tasks, as they were when they were read."""
        rows = self._database.read("SELECT source, stamp FROM tasks WHERE stamp <> ?", (NO_FILE,))
        return {path_from_bytes(row["source"]): Stamp.parse(row["stamp"]) for row in rows}

    def below(self, folder: Path) -> tuple[Path, ...]:
        """The files of all tasks in a folder and the folders in it."""
        start = path_to_bytes(folder) + b"/"
        rows = self._database.read(
            "SELECT source FROM tasks WHERE source >= ? AND source < ? AND stamp <> ?",
            (start, start[:-1] + b"0", NO_FILE),
        )
        return tuple(path_from_bytes(row["source"]) for row in rows)

    def reading(self, path: Path) -> tuple[Path, ...]:
        """The files of all tasks that were read from this input as well."""
        rows = self._database.read(
            "SELECT source FROM tasks JOIN inputs ON inputs.task = tasks.number WHERE path = ? AND tasks.stamp <> ?",
            (path_to_bytes(path), NO_FILE),
        )
        return tuple(path_from_bytes(row["source"]) for row in rows)

    def invalid(self, limit: int, *, after: int = 0) -> tuple[tuple[int, Path], ...]:
        """Number and file of tasks that are invalid, behind number `after`, in the order of their numbers."""
        rows = self._database.read(
            "SELECT number, source FROM tasks WHERE state = 'invalid' AND number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )
        return tuple((row["number"], path_from_bytes(row["source"])) for row in rows)

    def twins(self, task: str) -> tuple[Path, ...]:
        """Files that would be this task, were there not another file of it."""
        rows = self._database.read(
            "SELECT source FROM tasks WHERE state = 'invalid' AND id > ? AND id < ?",
            (storable(task) + ".", storable(task) + "/"),
        )
        return tuple(path_from_bytes(row["source"]) for row in rows)

    def dismissed(self, limit: int) -> tuple[Path, ...]:
        """Files whose task a person took out of the queue."""
        rows = self._database.read("SELECT source FROM dismissed LIMIT ?", (limit,))
        return tuple(path_from_bytes(row["source"]) for row in rows)

    def inputs(self) -> dict[Path, set[Stamp | None]]:
        """Every file that some task was read from besides its own, as it was then; None where it was not there."""
        inputs: dict[Path, set[Stamp | None]] = {}
        for row in self._database.read("SELECT DISTINCT path, stamp FROM inputs"):
            stamp = Stamp.parse(row["stamp"]) if row["stamp"] else None
            inputs.setdefault(path_from_bytes(row["path"]), set()).add(stamp)
        return inputs

    def _inputs_of(self, number: int) -> tuple[tuple[Path, Stamp | None], ...]:
        rows = self._database.read("SELECT path, stamp FROM inputs WHERE task = ? ORDER BY path", (number,))
        return tuple(
            (path_from_bytes(row["path"]), Stamp.parse(row["stamp"]) if row["stamp"] else None) for row in rows
        )
