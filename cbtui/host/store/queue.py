"""What front ends and the scheduler read: pages of the queue, counts, what comes next, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cbtui.core.queue import Changes, Filter, Sort, TaskRow
from cbtui.core.status import STATES, WAITING, State
from cbtui.host.store.database import Database
from cbtui.host.store.rows import read_task
from cbtui.host.store.statements import at_places, newest_by_state, ordered, ordered_by_state
from cbtui.host.store.values import storable, whole

EVERYTHING = Filter()

# How a screen groups tasks: what is rendered, what waits, what needs a person, what is over.
_OVER: tuple[State, ...] = ("done", "cancelled")
_GROUPS: tuple[tuple[State, ...], ...] = (("rendering",), WAITING, ("failed", "quarantined", "invalid"), _OVER)
_NEWEST = "max(coalesce(finished, 0), coalesce(started, 0), added)"
_ORDERS: Mapping[Sort, str] = {
    "name": "id",
    "state": "state, behind, position, number",
    "newest": f"{_NEWEST} DESC, number DESC",
}


class Queue:
    """Reads tasks. Every method sees one moment, and holds no lock once it has returned."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, *, limit: int, offset: int = 0, after: TaskRow | None = None, only: Filter = EVERYTHING
    ) -> tuple[TaskRow, ...]:
        """At most `limit` tasks in queue order, from the `offset`-th that fits, or of those behind the task `after`.

        `after` costs the same at any depth; a great `offset` costs a walk over the index.
        """
        condition, values = _condition(only)
        if after is not None:
            condition.append("(behind, position, number) > (?, ?, ?)")
            values += [-after.priority, after.position, after.number]
        states = tuple(dict.fromkeys(only.states))
        if states:
            places = ordered_by_state(" AND ".join(["state = ?", *condition]), states)
            values = [value for state in states for value in (state, *values)]
        else:
            places = ordered(" AND ".join(condition))
        rows = self._database.read(at_places(places), (*values, whole(limit), whole(offset)))
        rows.sort(key=lambda row: (row["behind"], row["position"], row["number"]))
        return tuple(read_task(row) for row in rows)

    def window(self, *, limit: int, offset: int, only: Filter, by: Sort = "queue") -> tuple[TaskRow, ...]:
        """At most `limit` tasks for a screen, from the `offset`-th that fits.

        By queue: what is rendered, what waits, what needs a person, then what is over, newest first.
        """
        if by != "queue":
            return self._sorted(limit, offset, only, _ORDERS[by])
        rows: list[TaskRow] = []
        for group in _GROUPS:
            part = _within(only, group)
            count = self.count(part) if part.states else 0
            if offset >= count:
                offset -= count
                continue
            wanted = limit - len(rows)
            if group == _OVER:
                rows += self._newest(wanted, offset, part)
            else:
                rows += self.page(limit=wanted, offset=offset, only=part)
            offset = 0
            if len(rows) >= limit:
                break
        return tuple(rows)

    def place(self, row: TaskRow, *, only: Filter = EVERYTHING, by: Sort = "queue") -> int | None:
        """How many tasks the window has before this one; None where it does not fit."""
        if not self._count_where(only, "number = ?", [row.number]):
            return None
        if by != "queue":
            columns, values = _order_of(row, by)
            return self._count_where(only, columns, values)
        group = next(group for group in _GROUPS if row.state in group)
        before = [state for each in _GROUPS[: _GROUPS.index(group)] for state in each]
        if group == _OVER:
            condition, values = "(coalesce(finished, 0), number) > (?, ?)", [row.finished or 0.0, row.number]
        else:
            condition = "(behind, position, number) < (?, ?, ?)"
            values = [-row.priority, row.position, row.number]
        within = self._count_where(_within(only, group), condition, values)
        return within + (self.count(_within(only, before)) if _within(only, before).states else 0)

    def _count_where(self, only: Filter, condition: str, values: Sequence[object]) -> int:
        """How many tasks fit that this holds for as well. The condition is one of ours."""
        conditions, fitting = _condition(only)
        states = only.states or STATES
        conditions += [f"state IN ({', '.join('?' * len(states))})", condition]
        statement = f"SELECT count(*) FROM tasks WHERE {' AND '.join(conditions)}"  # noqa: S608
        return int(self._database.read(statement, (*fitting, *states, *values))[0][0])

    def _sorted(self, limit: int, offset: int, only: Filter, order: str) -> tuple[TaskRow, ...]:
        condition, values = _condition(only)
        if only.states:
            condition.append(f"state IN ({', '.join('?' * len(only.states))})")
            values += only.states
        where = f"WHERE {' AND '.join(condition)} " if condition else ""
        statement = f"SELECT * FROM tasks {where}ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        rows = self._database.read(statement, (*values, whole(limit), whole(offset)))
        return tuple(map(read_task, rows))

    def _newest(self, limit: int, offset: int, only: Filter) -> tuple[TaskRow, ...]:
        condition, values = _condition(only)
        places = newest_by_state(" AND ".join(["state = ?", *condition]), only.states)
        values = [value for state in only.states for value in (state, *values)]
        rows = self._database.read(at_places(places), (*values, whole(limit), whole(offset)))
        rows.sort(key=lambda row: (-(row["finished"] or 0.0), -row["number"]))
        return tuple(map(read_task, rows))

    def counts(self) -> dict[State, int]:
        """How many tasks stand in each state, all states named."""
        counts = {row["state"]: row["tasks"] for row in self._database.read("SELECT state, tasks FROM counts")}
        return {state: counts[state] for state in STATES}

    def count(self, only: Filter = EVERYTHING) -> int:
        """How many tasks fit; cheap as long as `only` names nothing but states."""
        condition, values = _condition(only)
        states = tuple(dict.fromkeys(only.states)) or STATES
        if not condition:
            counts = self.counts()
            return sum(counts[state] for state in states)
        condition.append(f"state IN ({', '.join('?' * len(states))})")
        statement = f"SELECT count(*) FROM tasks WHERE {' AND '.join(condition)}"  # noqa: S608
        return int(self._database.read(statement, (*values, *states))[0][0])

    def next_queued(self, limit: int, *, after: TaskRow | None = None) -> tuple[TaskRow, ...]:
        """The tasks to render next, in their order."""
        return self.page(limit=limit, after=after, only=Filter(states=("queued",)))

    def ids_needing(self, model: str, state: State) -> tuple[str, ...]:
        """Tasks in one state that need this model, in the order they were found."""
        rows = self._database.read(
            "SELECT id FROM tasks WHERE state = ? AND model = ? ORDER BY number", (state, storable(model))
        )
        return tuple(row["id"] for row in rows)

    def matching(self, pattern: str) -> tuple[TaskRow, ...]:
        """The task of this id, or all whose ids fit this glob, or all of this name in whatever job; in queue order."""
        pattern = storable(pattern)
        for condition, value in (
            ("id = ?", pattern),
            ("id GLOB ?", pattern.replace("[!", "[^")),
            ("substr(id, length(job) + 2) = ?", pattern),
        ):
            # The conditions are those above.
            statement = f"SELECT * FROM tasks WHERE {condition} ORDER BY behind, position, number"  # noqa: S608
            rows = self._database.read(statement, (value,))
            if rows:
                return tuple(map(read_task, rows))
        return ()

    def changed_since(self, number: int, *, limit: int = 250) -> Changes:
        """What changed after change number `number`, oldest first, at most about `limit` tasks and removals each.

        Ask with 0 for everything there is.
        """
        with self._database.reading():
            newest, forgotten = self._database.read("SELECT change, forgotten FROM tally")[0]
            if number > newest or 0 < number < forgotten:
                return Changes((), (), upto=newest, reload=True)
            tasks = self._database.read(
                "SELECT * FROM tasks WHERE changed > ? ORDER BY changed LIMIT ?", (whole(number), whole(limit))
            )
            removed = self._database.read(
                "SELECT id, changed FROM removed WHERE changed > ? ORDER BY changed LIMIT ?",
                (whole(number), whole(limit)),
            )
        full = [rows[-1]["changed"] for rows in (tasks, removed) if rows and len(rows) == limit]
        # A list that was cut off says nothing about what lies behind its end.
        upto = min(full, default=newest)
        return Changes(
            tasks=tuple(read_task(row) for row in tasks if row["changed"] <= upto),
            removed=tuple(row["id"] for row in removed if row["changed"] <= upto),
            upto=upto,
            more=upto < newest,
        )


def _within(only: Filter, states: Sequence[State]) -> Filter:
    """What fits of these states; nothing does where it names none."""
    return replace(only, states=tuple(state for state in states if not only.states or state in only.states))


def _order_of(row: TaskRow, by: Sort) -> tuple[str, list[object]]:
    """What holds for tasks that the window has before this one, in any order but that of the queue."""
    if by == "name":
        return "id < ?", [row.id]
    if by == "state":
        return "(state, behind, position, number) < (?, ?, ?, ?)", [row.state, -row.priority, row.position, row.number]
    return f"({_NEWEST}, number) > (?, ?)", [max(row.finished or 0, row.started or 0, row.added), row.number]


def _condition(only: Filter) -> tuple[list[str], list[object]]:
    """The parts of a WHERE clause that are not about states, and their values."""
    condition: list[str] = []
    values: list[object] = []
    if only.job_glob:
        condition.append("job GLOB ?")
        # SQLite negates a set by ^, shells and fnmatch by !.
        values.append(storable(only.job_glob).replace("[!", "[^"))
    for word in only.text.split():
        condition.append("id LIKE ? ESCAPE '\\'")
        text = storable(word)
        for special in ("\\", "%", "_"):
            text = text.replace(special, "\\" + special)
        values.append(f"%{text}%")
    return condition, values
