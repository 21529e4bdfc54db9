"""SQL that is put together: a list of tasks in queue order, read off an index, never sorted."""

from __future__ import annotations

from collections.abc import Sequence

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


def at_places(places: str) -> str:
    """The tasks at these places, in any order: the places come off an index, and few rows are read."""
    return f"SELECT tasks.* FROM ({places}) AS place CROSS JOIN tasks ON tasks.number = place.number"  # noqa: S608
