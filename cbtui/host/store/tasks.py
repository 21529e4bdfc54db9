"""What happens to tasks in the queue: they take steps, make progress, and go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cbtui.core.queue import Progress, TaskRow
from cbtui.core.status import (
    SETTLED,
    WAITING,
    IllegalTransition,
    Result,
    State,
    after_host_death,
    check_transition,
)
from cbtui.host.store.database import Database
from cbtui.host.store.errors import TaskIsRendering, UnknownTask
from cbtui.host.store.rows import read_task, result_facts
from cbtui.host.store.statements import update_task
from cbtui.host.store.values import storable, whole

# Enough for viewers that look every second while 100,000 tasks go at once.
_REMOVALS_KEPT = 100_000

FRESH_START: Mapping[str, Any] = {
    "attempts": 0,
    "deaths": 0,
    "overtaken": 0,
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

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, task: str) -> TaskRow:
        """Raises UnknownTask."""
        rows = self._database.read("SELECT * FROM tasks WHERE id = ?", (storable(task),))
        if not rows:
            raise UnknownTask(task)
        return read_task(rows[0])

    def transition(self, task: str, to: State, *, reason: str = "", result: Result | None = None) -> TaskRow:
        """Take one step; returns the task after it. `reason` says why it stands there.

        A task that is queued while its file is broken, which a rendering had outlasted, is invalid.
        Raises IllegalTransition, UnknownTask and StoreFull, with nothing changed.
        """
        with self._database.writing():
            before = self.get(task)
            check_transition(before.state, to)
            facts = {"state": to, "reason": storable(reason), **self._consequences(before, to)}
            self._update(before.id, facts | (result_facts(result) if result else {}))
            if to == "queued" and before.problems:
                self._update(before.id, {"state": "invalid"})
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

    def transition_all(
        self, before: State, to: State, *, model: str | None = None, reason: str = ""
    ) -> tuple[str, ...]:
        """Take this step, from one waiting state to another, with all tasks there are, or with those of a model.

        Returns which took it, in the order they were found. Quick for 100,000.
        """
        assert {before, to} <= {*WAITING}, "other steps have consequences"
        check_transition(before, to)
        model = model and storable(model)
        values: dict[str, Any] = {"before": before, "to": to, "reason": storable(reason), "model": model}
        which = "state = :before AND (:model IS NULL OR model = :model)"
        with self._database.writing():
            # The condition is the one above.
            rows = self._database.read(f"SELECT id, number FROM tasks WHERE {which} ORDER BY number", values)  # noqa: S608
            if rows:
                least, most = rows[0]["number"], rows[-1]["number"]
                values |= {"least": least, "first": self._database.next_changes(most - least + 1)}
                changes = "state = :to, reason = :reason, changed = :first + number - :least"
                self._database.write(f"UPDATE tasks SET {changes} WHERE {which}", values)  # noqa: S608
            return tuple(row["id"] for row in rows)

    def begin(self, task: str, *, overtaking: Iterable[str] = ()) -> TaskRow:
        """Render a task that is queued; the queued ones named in `overtaking` count one more that went before them.

        Raises IllegalTransition, UnknownTask and StoreFull.
        """
        with self._database.writing():
            row = self.transition(task, "rendering")
            self._update(row.id, {"overtaken": 0})
            for other in overtaking:
                self._update(other, {"overtaken": self.get(other).overtaken + 1})
            return row

    def give_back(self, task: str, *, reason: str = "", to: State = "queued") -> None:
        """End a rendering that was only interrupted, which counts as no attempt: the task is queued in its old place.

        With `to`, it takes a further step from there. A task that is not being rendered stays as it is.
        """
        with self._database.writing():
            row = self._find(task)
            if row is None or row.state != "rendering":
                return
            after = self.transition(task, "queued", reason=reason)
            self._update(task, {"attempts": row.attempts})
            if to != after.state and after.state == "queued":
                self.transition(task, to, reason=reason)

    def finish(
        self, task: str, to: State, *, digest: str, reason: str = "", result: Result | None = None
    ) -> TaskRow | None:
        """End the rendering of the content `digest`; returns the task after it.

        A file that was edited since puts its task in the queue again. A task that was paused or queued meanwhile is
        done if it came to that and nobody asked for a fresh rendering; otherwise it stays where the person put it, if
        they did not remove it, and None is returned. Raises StoreFull.
        """
        with self._database.writing():
            row = self._find(task)
            if row is None:
                return None
            if to == "done" and row.state in {"queued", "paused"} and row.digest == digest and not row.fresh:
                if row.state == "paused":
                    self.transition(task, "queued")
                self.transition(task, "rendering")
                self._update(task, {"started": row.started})
            elif row.state != "rendering":
                return None
            if to == "done" or row.digest == digest:
                self.transition(task, to, reason=reason, result=result)
            else:
                self.give_back(task, reason="its file changed while it was being rendered")
            if row.digest != digest:
                self._take_over_edit(task)
            return self.get(task)

    def set_progress(self, task: str, progress: Progress, *, advanced: bool = False) -> bool:
        """Tell how far a rendering has come; False if the task is not being rendered (any more).

        `advanced`: a new chunk is finished, so a host that dies from now on did not die of the same one.
        """
        facts = {
            "chunks_done": whole(progress.chunks_done),
            "chunks_total": whole(progress.chunks_total),
            "tokens": whole(progress.tokens),
        }
        with self._database.writing():
            return self._update(storable(task), facts | ({"deaths": 0} if advanced else {}), only_in="rendering")

    def set_priority(self, task: str, priority: int) -> None:
        """Put a task before all of less priority. Raises UnknownTask and OutOfRange."""
        self._set(task, {"priority": whole(priority)})

    def set_fresh(self, task: str, *, fresh: bool) -> None:
        """Whether the next rendering is a new run. Raises UnknownTask."""
        self._set(task, {"fresh": int(fresh)})

    def begin_fresh_run(self, task: str) -> None:
        """The new run that was asked for is there, so that the next rendering goes on with it."""
        with self._database.writing():
            # One that was cancelled and asked for anew meanwhile is to be another.
            for state in ("rendering", "paused"):
                self._update(storable(task), {"fresh": 0}, only_in=state)

    def remove(self, task: str, *, dismiss: bool = True) -> None:
        """Take a task out of the queue; with `dismiss` its file stays out until it changes.

        Raises UnknownTask and TaskIsRendering.
        """
        with self._database.writing():
            row = self.get(task)
            if row.state == "rendering":
                raise TaskIsRendering(task)
            if dismiss:
                self._database.write(
                    "INSERT OR REPLACE INTO dismissed SELECT source, stamp FROM tasks WHERE number = ?", (row.number,)
                )
            self._database.write("DELETE FROM tasks WHERE number = ?", (row.number,))
            change = self._database.next_changes()
            self._database.write("INSERT OR REPLACE INTO removed VALUES (?, ?)", (row.id, change))

    def recover(self, *, cause: str = "the host died") -> tuple[TaskRow, ...]:
        """Put what a dead host was rendering back into its place; returns those tasks.

        For a new host, before it renders: each counts one more attempt and one more death of its host, and is
        quarantined at the third.
        """
        with self._database.writing():
            self._forget_old_removals()
            rows = self._database.read(
                "SELECT * FROM tasks WHERE state = 'rendering' ORDER BY behind, position, number"
            )
            return tuple(self.survive(row["id"], cause=cause) for row in rows)

    def survive(self, task: str, *, cause: str) -> TaskRow:
        """Count a death of the host against a task that was being rendered; any other stays as it is.

        Raises UnknownTask.
        """
        with self._database.writing():
            row = self.get(task)
            if row.state != "rendering":
                return row
            deaths = row.deaths + 1
            to = after_host_death(deaths)
            reason = f"interrupted: {cause}"
            if to == "quarantined":
                reason = f"its host died {deaths} times while rendering it, the last time because {cause}"
            self.transition(task, to, reason=reason)
            self._update(task, {"deaths": deaths})
            return self.get(task)

    def _find(self, task: str) -> TaskRow | None:
        try:
            return self.get(task)
        except UnknownTask:
            return None

    def _set(self, task: str, facts: Mapping[str, Any]) -> None:
        with self._database.writing():
            if not self._update(storable(task), facts):
                raise UnknownTask(task)

    def _take_over_edit(self, task: str) -> None:
        if self.get(task).state in SETTLED:
            self.transition(task, "queued", reason="its file changed while it was being rendered")

    def _consequences(self, before: TaskRow, to: State) -> Mapping[str, Any]:
        """What a step changes besides the state."""
        if to == "rendering":
            # Of the run that it goes on with, it has made what it had.
            progress = {"chunks_done": 0, "chunks_total": 0, "tokens": 0} if before.fresh else {}
            return {"started": self._database.now(), "finished": None, **progress}
        if before.state in SETTLED:
            return FRESH_START
        facts: dict[str, Any] = {}
        if before.state == "rendering" and to in {"queued", "failed", "quarantined"}:
            facts["attempts"] = before.attempts + 1
        if to in SETTLED:
            facts["finished"] = self._database.now()
        return facts

    def _update(self, task: str, facts: Mapping[str, Any], *, only_in: State | None = None) -> bool:
        values = {**facts, "task": task, "change": self._database.next_changes(), "only_in": only_in}
        return self._database.write(update_task(facts, only_in=only_in is not None), values) > 0

    def _forget_old_removals(self) -> None:
        newest_forgotten = self._database.read(
            "SELECT changed FROM removed ORDER BY changed DESC LIMIT 1 OFFSET ?", (_REMOVALS_KEPT,)
        )
        if newest_forgotten:
            self._database.write("DELETE FROM removed WHERE changed <= ?", (newest_forgotten[0][0],))
            self._database.write("UPDATE tally SET forgotten = ?", (newest_forgotten[0][0],))
