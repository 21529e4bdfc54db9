"""SQL that is put together: lists of tasks in queue order, read off an index and never sorted, and changes of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cbtui.core.status import State


def ordered(condition: str) -> str:
    """Places of tasks of all states in queue order; its last two values are the limit and the offset."""
    where = f"WHERE {condition} " if condition else ""
    return f"SELECT number, behind, position FROM tasks {where}ORDER BY behind, position, number LIMIT ? OFFSET ?"  # noqa: S608


def ordered_by_state(condition: str, states: Sequence[State]) -> str:
    """Places of tasks of some states in queue order: one list for each, merged. `condition` has a `state = ?`.

    Its values are those of `condition` once for each state, then the limit and the offset.
    """
    part = f"SELECT number, behind, position FROM tasks WHERE {condition}"  # noqa: S608
    return " UNION ALL ".join([part] * len(states)) + " ORDER BY behind, position, number LIMIT ? OFFSET ?"


def newest_by_state(condition: str, states: Sequence[State]) -> str:
    """Places of tasks of some states, the last that ended first: one list for each state, merged.

    Its values are those of `condition` once for each state, then the limit and the offset.
    """
    part = f"SELECT number, finished FROM tasks WHERE {condition}"  # noqa: S608
    return " UNION ALL ".join([part] * len(states)) + " ORDER BY finished DESC, number DESC LIMIT ? OFFSET ?"


def at_places(places: str) -> str:
    """The tasks at these places, in any order: the places come off an index, and few rows are read."""
    return f"SELECT tasks.* FROM ({places}) AS place CROSS JOIN tasks ON tasks.number = place.number"  # noqa: S608


def update_task(columns: Iterable[str], *, only_in: bool) -> str:
    """Set these columns, by values of the same names, and `changed` by `change`, of the task whose id is `task`.

    With `only_in`, of a task in that state alone.
    """
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    condition = "id = :task" + (" AND state = :only_in" if only_in else "")
    return f"UPDATE tasks SET {assignments}, changed = :change WHERE {condition}"  # noqa: S608
