"""What files say about tasks: found, edited, renamed, gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from cbtui.core.queue import FoundTask, Put
from cbtui.core.stamp import Stamp
from cbtui.core.status import WAITING
from cbtui.host.store import edits
from cbtui.host.store.database import Database
from cbtui.host.store.known_files import NO_FILE, KnownFiles
from cbtui.host.store.order import Order
from cbtui.host.store.rows import result_facts
from cbtui.host.store.statements import update_task
from cbtui.host.store.tasks import Tasks
from cbtui.host.store.values import path_to_bytes


class Files(KnownFiles):
    """Takes over what task files say. A task is known by its file; a file of another name may take one over.

    Every method is one transaction, or a part of the one that is open.
    """

    def __init__(self, database: Database, order: Order, tasks: Tasks) -> None:
        super().__init__(database)
        self._order = order
        self._tasks = tasks

    def put(self, found: Iterable[FoundTask]) -> Put:
        """Add new tasks at the end of the queue, in this order, and take over what changed in known ones.

        An edited file queues its task anew, or makes it invalid; a pause and a block stay, a rendering goes on.
        What is to be kept of an earlier digest stays as it is, and is of the new digest from then on.
        A priority set by hand holds until the file names another. A file that was taken out of the queue is added
        once it changes. Raises StoreFull and OutOfRange.
        """
        added: list[str] = []
        edited: list[str] = []
        rendering: list[str] = []
        found = list(found)
        with self._database.writing():
            numbers = self._reserve_numbers(len(found))
            for task in found:
                facts = edits.facts_of(task)
                before = self._before(facts)
                if before is None:
                    if not self._is_dismissed(facts):
                        self._add(facts, *next(numbers), task)
                        added.append(facts["id"])
                    continue
                if edits.is_kept(before, task):
                    self._update(before["id"], edits.kept(facts))
                elif edits.is_edited(before, facts):
                    if self._edit(before, facts):
                        (rendering if before["state"] == "rendering" else edited).append(facts["id"])
                elif new := edits.noted(before, facts):
                    self._update(before["id"], new)
                self._set_inputs(before["number"], task.inputs)
        return Put(tuple(added), tuple(edited), tuple(rendering))

    def rename(self, old: Path, new: Path) -> bool:
        """A file got another name, and its task keeps its place.

        False if it is no task's, or if what had that name before is still being rendered.
        """
        with self._database.writing():
            rows = self._database.read("SELECT id FROM tasks WHERE source = ?", (path_to_bytes(old),))
            if rows and not self._make_way("source", path_to_bytes(new), rows[0]["id"]):
                return False
            for row in rows:
                self._update(row["id"], {"source": path_to_bytes(new)})
            self._database.write(
                "UPDATE OR REPLACE dismissed SET source = ? WHERE source = ?", (path_to_bytes(new), path_to_bytes(old))
            )
            return bool(rows)

    def lose(self, source: Path) -> str | None:
        """A task file is gone: its task is cancelled if it waits, and leaves the queue if it was never valid.

        Returns the task that was cancelled. A rendering goes on, and what is done stays done.
        """
        with self._database.writing():
            rows = self._database.read("SELECT id, state FROM tasks WHERE source = ?", (path_to_bytes(source),))
            for row in rows:
                self._update(row["id"], {"stamp": NO_FILE})
                if row["state"] == "invalid":
                    self._tasks.remove(row["id"], dismiss=False)
                elif row["state"] in WAITING:
                    self._tasks.transition(row["id"], "cancelled", reason="its file was deleted")
                    return str(row["id"])
        return None

    def drop(self, source: Path) -> bool:
        """A file is no task of its own (any more); its task leaves the queue. False if it is being rendered."""
        with self._database.writing():
            return self._make_way("source", path_to_bytes(source))

    def _before(self, facts: Mapping[str, Any]) -> Any | None:
        """The task that this file is, or that it takes over."""
        for condition in ("source", "id"):
            # The condition is one of the two words above.
            rows = self._database.read(f"SELECT * FROM tasks WHERE {condition} = ?", (facts[condition],))  # noqa: S608
            if rows:
                return rows[0]
        return None

    def _is_dismissed(self, facts: Mapping[str, Any]) -> bool:
        rows = self._database.read("SELECT stamp FROM dismissed WHERE source = ?", (facts["source"],))
        # The device may have another number since the machine was started anew.
        is_as_it_was = bool(rows) and rows[0]["stamp"].partition(":")[2] == facts["stamp"].partition(":")[2]
        if rows and not is_as_it_was:
            self._database.write("DELETE FROM dismissed WHERE source = ?", (facts["source"],))
        return is_as_it_was

    def _reserve_numbers(self, most: int) -> Iterator[tuple[int, int]]:
        """Change numbers and positions for new tasks, reserved at once when the first is asked for.

        A look that finds nothing new writes nothing; numbers that go unused are missed by nobody.
        """
        first = self._database.next_changes(most)
        yield from zip(range(first, first + most), self._order.at_the_end(most), strict=True)

    def _add(self, facts: Mapping[str, Any], change: int, position: int, task: FoundTask) -> None:
        state = "invalid" if edits.is_invalid(facts) else "queued"
        row = {
            **facts,
            "job": facts["id"].rpartition("/")[0],
            "priority": facts["declared_priority"],
            "position": position,
            "changed": change,
            "state": "done" if task.finished else state,
            "added": self._database.now(),
            **(result_facts(task.finished) if task.finished else {}),
        }
        columns = ", ".join(row)
        holders = ", ".join(f":{name}" for name in row)
        number = self._database.insert(f"INSERT INTO tasks ({columns}) VALUES ({holders})", row)  # noqa: S608
        self._database.write("DELETE FROM removed WHERE id = ?", (facts["id"],))
        self._set_inputs(number, task.inputs)

    def _edit(self, before: Any, facts: Mapping[str, Any]) -> bool:
        """False where it cannot be taken over yet: the rendering of a file that is gone still has its name."""
        if before["state"] != "rendering" and not self._make_way("id", facts["id"], before["id"]):
            return False
        changes = edits.edited(before, facts)
        self._update(before["id"], changes)
        if changes["id"] != before["id"]:
            self._note_name(before["id"], changes["id"])
        return True

    def _make_way(self, column: Literal["id", "source"], value: str | bytes, to: str = "") -> bool:
        """Remove the task of this name or file, unless it is `to`; False if it is being rendered."""
        # The column is one of two words.
        statement = f"SELECT id, state FROM tasks WHERE {column} = ? AND id <> ?"  # noqa: S608
        rows = self._database.read(statement, (value, to))
        for row in rows:
            if row["state"] == "rendering":
                return False
            self._tasks.remove(row["id"], dismiss=False)
        return True

    def _note_name(self, old: str, new: str) -> None:
        self._database.write("UPDATE tasks SET job = ? WHERE id = ?", (new.rpartition("/")[0], new))
        self._database.write("DELETE FROM removed WHERE id = ?", (new,))
        self._database.write("INSERT OR REPLACE INTO removed VALUES (?, ?)", (old, self._database.next_changes()))

    def _set_inputs(self, number: int, inputs: tuple[tuple[Path, Stamp | None], ...]) -> None:
        if self._inputs_of(number) == tuple(sorted(inputs)):
            return
        self._database.write("DELETE FROM inputs WHERE task = ?", (number,))
        for path, stamp in inputs:
            self._database.write(
                "INSERT OR REPLACE INTO inputs VALUES (?, ?, ?)",
                (number, path_to_bytes(path), str(stamp) if stamp else ""),
            )

    def _update(self, task: str, facts: Mapping[str, Any]) -> None:
        values = {**facts, "task": task, "change": self._database.next_changes()}
        self._database.write(update_task(facts, only_in=False), values)
