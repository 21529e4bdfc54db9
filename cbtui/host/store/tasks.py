"""What happens to tasks: they are found in files, take steps, make progress, and go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cbtui.core.status import (
    SETTLED,
    IllegalTransition,
    Result,
    State,
    after_edit,
    after_host_death,
    check_transition,
)
from cbtui.host.store.database import Database
from cbtui.host.store.errors import TaskIsRendering, UnknownTask
from cbtui.host.store.order import Order
from cbtui.host.store.rows import FoundTask, Progress, Put, TaskRow, read_task
from cbtui.host.store.values import finite, path_to_bytes, problems_to_json, storable, whole

# Enough for viewers that look every second while 100,000 tasks go at once.
_REMOVALS_KEPT = 100_000

_FRESH_START: Mapping[str, Any] = {
    "attempts": 0,
    "deaths": 0,
    "chunks_done": 0,
    "chunks_total": 0,
    "tokens": 0,
    "run": None,
    "output": None,
    "started": None,
    "finished": None,
}


class Tasks:
    """Changes tasks. Every method is one transaction, or a part of the one that is open."""

    def __init__(self, database: Database, order: Order) -> None:
        self._database = database
        self._order = order

    def put(self, found: Iterable[FoundTask]) -> Put:
        """Add new tasks at the end of the queue, in this order, and take over what changed in known ones.

        An edited file queues its task anew, or makes it invalid; a pause and a block stay, a rendering goes on.
        A priority set by hand holds until the file names another. Raises StoreFull and OutOfRange.
        """
        added: list[str] = []
        edited: list[str] = []
        rendering: list[str] = []
        found = list(found)
        with self._database.writing():
            numbers = self._reserve_numbers(len(found))
            for task in found:
                facts = _facts_of(task)
                before = self._database.read("SELECT * FROM tasks WHERE id = ?", (facts["id"],))
                if not before:
                    self._add(facts, *next(numbers))
                    added.append(facts["id"])
                elif any(before[0][name] != facts[name] for name in ("digest", "problems", "declared_priority")):
                    self._edit(before[0], facts)
                    (rendering if before[0]["state"] == "rendering" else edited).append(facts["id"])
                elif any(before[0][name] != facts[name] for name in ("source", "stamp")):
                    self._update(facts["id"], {"source": facts["source"], "stamp": facts["stamp"]})
        return Put(tuple(added), tuple(edited), tuple(rendering))

    def get(self, task: str) -> TaskRow:
        """Raises UnknownTask."""
        rows = self._database.read("SELECT * FROM tasks WHERE id = ?", (storable(task),))
        if not rows:
            raise UnknownTask(task)
        return read_task(rows[0])

    def transition(self, task: str, to: State, *, reason: str = "", result: Result | None = None) -> TaskRow:
        """Take one step; returns the task after it. `reason` says why it stands there.

        Raises IllegalTransition, UnknownTask and StoreFull, with nothing changed.
        """
        with self._database.writing():
            before = self.get(task)
            check_transition(before.state, to)
            facts = {"state": to, "reason": storable(reason), **self._consequences(before, to)}
            self._update(before.id, facts | (_result_facts(result) if result else {}))
            return self.get(task)

    def transition_each(self, tasks: Iterable[str], to: State, *, reason: str = "") -> dict[str, str]:
        """Take this step with each task that may; returns what stood in the way of the others, by task."""
        refused = {}
        with self._database.writing():
            for task in tasks:
                try:
                    self.transition(task, to, reason=reason)
                except (IllegalTransition, UnknownTask) as error:
                    refused[task] = str(error)
        return refused

    def set_progress(self, task: str, progress: Progress) -> bool:
        """Tell how far a rendering has come; False if the task is not being rendered (any more)."""
        facts = {
            "chunks_done": whole(progress.chunks_done),
            "chunks_total": whole(progress.chunks_total),
            "tokens": whole(progress.tokens),
        }
        with self._database.writing():
            return self._update(storable(task), facts, only_in="rendering")

    def set_priority(self, task: str, priority: int) -> None:
        """Put a task before all of less priority. Raises UnknownTask and OutOfRange."""
        facts = {"priority": whole(priority)}
        with self._database.writing():
            if not self._update(storable(task), facts):
                raise UnknownTask(task)

    def remove(self, task: str) -> None:
        """Take a task out of the queue. Raises UnknownTask and TaskIsRendering."""
        with self._database.writing():
            row = self.get(task)
            if row.state == "rendering":
                raise TaskIsRendering(task)
            self._database.write("DELETE FROM tasks WHERE number = ?", (row.number,))
            change = self._database.next_changes()
            self._database.write("INSERT OR REPLACE INTO removed VALUES (?, ?)", (row.id, change))

    def recover(self) -> tuple[TaskRow, ...]:
        """Put what a dead host was rendering back into its place; returns those tasks.

        For a new host, before it renders: each counts one more attempt and one more death of its host, and is
        quarantined at the third.
        """
        with self._database.writing():
            self._forget_old_removals()
            rows = self._database.read(
                "SELECT * FROM tasks WHERE state = 'rendering' ORDER BY behind, position, number"
            )
            return tuple(self._survive(read_task(row)) for row in rows)

    def _survive(self, task: TaskRow) -> TaskRow:
        deaths = task.deaths + 1
        to = after_host_death(deaths)
        reason = "interrupted: the host died" if to == "queued" else f"its host died {deaths} times while rendering it"
        self.transition(task.id, to, reason=reason)
        self._update(task.id, {"deaths": deaths})
        return self.get(task.id)

    def _consequences(self, before: TaskRow, to: State) -> Mapping[str, Any]:
        """What a step changes besides the state."""
        if to == "rendering":
            progress = {"chunks_done": 0, "chunks_total": 0, "tokens": 0}
            return {"started": self._database.now(), "finished": None, **progress}
        if before.state in SETTLED:
            return _FRESH_START
        facts: dict[str, Any] = {}
        if before.state == "rendering" and to in {"queued", "failed", "quarantined"}:
            facts["attempts"] = before.attempts + 1
        if to in SETTLED:
            facts["finished"] = self._database.now()
        return facts

    def _reserve_numbers(self, most: int) -> Iterator[tuple[int, int]]:
        """Change numbers and positions for new tasks, reserved at once when the first is asked for.

        A look that finds nothing new writes nothing; numbers that go unused are missed by nobody.
        """
        first = self._database.next_changes(most)
        yield from zip(range(first, first + most), self._order.at_the_end(most), strict=True)

    def _add(self, facts: Mapping[str, Any], change: int, position: int) -> None:
        row = {
            **facts,
            "job": facts["id"].rpartition("/")[0],
            "priority": facts["declared_priority"],
            "position": position,
            "changed": change,
            "state": "queued" if facts["problems"] == "[]" else "invalid",
            "added": self._database.now(),
        }
        columns = ", ".join(row)
        holders = ", ".join(f":{name}" for name in row)
        self._database.insert(f"INSERT INTO tasks ({columns}) VALUES ({holders})", row)  # noqa: S608
        self._database.write("DELETE FROM removed WHERE id = ?", (facts["id"],))

    def _edit(self, before: Any, facts: Mapping[str, Any]) -> None:
        changes = dict(facts)
        if before["declared_priority"] != facts["declared_priority"]:
            changes["priority"] = facts["declared_priority"]
        if before["digest"] != facts["digest"] or before["problems"] != facts["problems"]:
            state = after_edit(before["state"], valid=facts["problems"] == "[]")
            if before["state"] != "rendering":
                changes |= {**_FRESH_START, "state": state}
            if state != before["state"]:
                changes["reason"] = ""
        self._update(facts["id"], changes)

    def _update(self, task: str, facts: Mapping[str, Any], *, only_in: State | None = None) -> bool:
        assignments = ", ".join(f"{name} = :{name}" for name in facts)
        values = {**facts, "task": task, "change": self._database.next_changes(), "only_in": only_in}
        condition = "id = :task" + (" AND state = :only_in" if only_in else "")
        # The names are those of columns, written in this file.
        statement = f"UPDATE tasks SET {assignments}, changed = :change WHERE {condition}"  # noqa: S608
        return self._database.write(statement, values) > 0

    def _forget_old_removals(self) -> None:
        newest_forgotten = self._database.read(
            "SELECT changed FROM removed ORDER BY changed DESC LIMIT 1 OFFSET ?", (_REMOVALS_KEPT,)
        )
        if newest_forgotten:
            self._database.write("DELETE FROM removed WHERE changed <= ?", (newest_forgotten[0][0],))
            self._database.write("UPDATE tally SET forgotten = ?", (newest_forgotten[0][0],))


def _facts_of(task: FoundTask) -> dict[str, Any]:
    return {
        "id": storable(task.id),
        "source": path_to_bytes(task.source),
        "stamp": str(task.stamp),
        "digest": storable(task.digest),
        "declared_priority": whole(task.priority),
        "problems": problems_to_json(task.problems),
    }


def _result_facts(result: Result) -> dict[str, Any]:
    return {
        "run": storable(result.run),
        "output": path_to_bytes(result.output) if result.output else None,
        "speech_seconds": finite(result.speech_seconds),
        "work_seconds": finite(result.work_seconds),
        "rendered": whole(result.rendered),
        "reused": whole(result.reused),
        "draft": int(result.draft),
        "result_reason": storable(result.reason),
    }
