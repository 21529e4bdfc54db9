"""What files say about tasks: found, edited, renamed, gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from cbtui.core.queue import FoundTask, KnownFile, Put
from cbtui.core.stamp import Stamp
from cbtui.core.status import SETTLED, WAITING, after_edit
from cbtui.host.store.database import Database
from cbtui.host.store.order import Order
from cbtui.host.store.rows import result_facts
from cbtui.host.store.statements import update_task
from cbtui.host.store.tasks import FRESH_START, Tasks
from cbtui.host.store.values import path_from_bytes, path_to_bytes, problems_to_json, storable, whole

# The stamp of a task whose file is gone.
_NO_FILE = str(Stamp(0, 0, 0, 0))
# The problems of a valid file.
_NONE = "[]"
_COMPARED = frozenset(("digest", "problems", "declared_priority", "id"))
# What is known of an invalid file.
_TOLD_OF_INVALID = frozenset(("id", "source", "stamp", "problems", "surroundings"))
# States that a mended file puts its task back into: `was paused`, `was failed: no seed helped`.
_KEPT = ("paused", *SETTLED)
_WAS = "was "
_NOTED = frozenset(("source", "stamp", "surroundings", "model", "voice", "characters"))
# SQLite compares at most so many values at once in builds of every age.
_MOST_VALUES = 500


class Files:
    """Takes over what task files say. A task is known by its file; a file of another name may take one over.

    Every method is one transaction, or a part of the one that is open.
    """

    def __init__(self, database: Database, order: Order, tasks: Tasks) -> None:
        self._database = database
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
                facts = _facts_of(task)
                before = self._before(facts)
                if before is None:
                    if not self._is_dismissed(facts):
                        self._add(facts, *next(numbers), task)
                        added.append(facts["id"])
                    continue
                if _is_kept(before, task):
                    self._update(before["id"], {name: facts[name] for name in (*_NOTED, "digest")})
                elif self._is_edited(before, facts):
                    if self._edit(before, facts):
                        (rendering if before["state"] == "rendering" else edited).append(facts["id"])
                elif new := {name: facts[name] for name in _noted(facts) if facts[name] != before[name]}:
                    self._update(before["id"], new)
                self._set_inputs(before["number"], task.inputs)
        return Put(tuple(added), tuple(edited), tuple(rendering))

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
            (storable(task), _NO_FILE, ever_valid),
        )
        return path_from_bytes(rows[0]["source"]) if rows else None

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
                self._update(row["id"], {"stamp": _NO_FILE})
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

    def stamps(self) -> dict[Path, Stamp]:
        """The files of all tasks, as they were when they were read."""
        rows = self._database.read("SELECT source, stamp FROM tasks WHERE stamp <> ?", (_NO_FILE,))
        return {path_from_bytes(row["source"]): Stamp.parse(row["stamp"]) for row in rows}

    def below(self, folder: Path) -> tuple[Path, ...]:
        """The files of all tasks in a folder and the folders in it."""
        start = path_to_bytes(folder) + b"/"
        rows = self._database.read(
            "SELECT source FROM tasks WHERE source >= ? AND source < ? AND stamp <> ?",
            (start, start[:-1] + b"0", _NO_FILE),
        )
        return tuple(path_from_bytes(row["source"]) for row in rows)

    def reading(self, path: Path) -> tuple[Path, ...]:
        """The files of all tasks that were read from this input as well."""
        rows = self._database.read(
            "SELECT source FROM tasks JOIN inputs ON inputs.task = tasks.number WHERE path = ? AND tasks.stamp <> ?",
            (path_to_bytes(path), _NO_FILE),
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

    def _before(self, facts: Mapping[str, Any]) -> Any | None:
        """The task that this file is, or that it takes over."""
        for condition in ("source", "id"):
            # The condition is one of the two words above.
            rows = self._database.read(f"SELECT * FROM tasks WHERE {condition} = ?", (facts[condition],))  # noqa: S608
            if rows:
                return rows[0]
        return None

    def _is_edited(self, before: Any, facts: Mapping[str, Any]) -> bool:
        compared = _COMPARED
        if before["state"] == "rendering":
            # It keeps its name until that is over.
            compared = _COMPARED - {"id"}
        elif facts["problems"] != _NONE:
            compared = _COMPARED & _TOLD_OF_INVALID
        return _came_back(before) or any(before[name] != facts[name] for name in compared)

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
        state = "queued" if facts["problems"] == _NONE else "invalid"
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
        changes = dict(facts)
        if facts["problems"] != _NONE:
            # What it asked for while it was valid is compared with what it asks for once it is mended.
            changes = {name: facts[name] for name in _TOLD_OF_INVALID}
        elif before["declared_priority"] != facts["declared_priority"]:
            changes["priority"] = facts["declared_priority"]
        if before["state"] == "rendering":
            changes |= {"id": before["id"], "digest": facts["digest"]}
        elif not self._make_way("id", facts["id"], before["id"]):
            return False
        else:
            changes |= _step(before, facts)
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

    def _inputs_of(self, number: int) -> tuple[tuple[Path, Stamp | None], ...]:
        rows = self._database.read("SELECT path, stamp FROM inputs WHERE task = ? ORDER BY path", (number,))
        return tuple(
            (path_from_bytes(row["path"]), Stamp.parse(row["stamp"]) if row["stamp"] else None) for row in rows
        )

    def _update(self, task: str, facts: Mapping[str, Any]) -> None:
        values = {**facts, "task": task, "change": self._database.next_changes()}
        self._database.write(update_task(facts, only_in=False), values)


def _noted(facts: Mapping[str, Any]) -> frozenset[str]:
    """What is taken over of a file that means the same as before."""
    return _NOTED if facts["problems"] == _NONE else _NOTED & _TOLD_OF_INVALID


def _is_kept(before: Any, task: FoundTask) -> bool:
    """Whether this is a task that the host is through with, which is to stay so."""
    return bool(before["state"] in SETTLED and task.kept == before["digest"] != task.digest and not task.problems)


def _came_back(before: Any) -> bool:
    """Whether this is a task that was cancelled because its file was gone, and the file is there."""
    return bool(before["state"] == "cancelled" and before["stamp"] == _NO_FILE)


def _step(before: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What an edit makes of a task that is not being rendered.

    A file that was broken for a while and is what it was before leaves its task where that was.
    """
    state, reason = before["state"], before["reason"]
    if facts["problems"] != _NONE:
        if state == "invalid":
            return {}
        if state in _KEPT and not _came_back(before):
            return {"state": "invalid", "reason": f"{_WAS}{state}: {reason}".removesuffix(": ")}
        return {**FRESH_START, "state": "invalid", "reason": ""}
    same = before["digest"] == facts["digest"] and not _came_back(before)
    if state != "invalid":
        after = after_edit(state, valid=True)
        return {} if same else {**FRESH_START, "state": after, "reason": reason if after == state else ""}
    former, _, reason = reason.removeprefix(_WAS).partition(": ")
    if same and former in SETTLED:
        return {"state": former, "reason": reason}
    return {**FRESH_START, "state": "paused" if former == "paused" else "queued", "reason": ""}


def _facts_of(task: FoundTask) -> dict[str, Any]:
    return {
        "id": storable(task.id),
        "source": path_to_bytes(task.source),
        "stamp": str(task.stamp),
        "digest": storable(task.digest),
        "declared_priority": whole(task.priority),
        "problems": problems_to_json(task.problems),
        "model": storable(task.model),
        "voice": storable(task.voice),
        "characters": whole(task.characters),
        "surroundings": storable(task.surroundings),
    }
