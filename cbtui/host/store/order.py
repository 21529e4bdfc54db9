"""The order of the queue: whole numbers with room between them, so that a move changes one row.

Where the room between two tasks is used up, their neighbours move apart, as far around as it takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cbtui.core.status import WAITING
from cbtui.host.store.database import Database
from cbtui.host.store.errors import UnknownTask
from cbtui.host.store.statements import ordered_by_state
from cbtui.host.store.values import storable

# Halved 32 times before neighbours move; 2^31 tasks find room in 64 bits.
_GAP = 1 << 32
# Neighbours that moved apart leave room for at least 16 more moves to the same spot.
_ENOUGH_ROOM = 1 << 16
_FEWEST_NEIGHBOURS = 32
# Numbers as a list in JSON: of any length, which values in brackets are not.
_NOT_AMONG = "number NOT IN (SELECT value FROM json_each(?))"


class Order:
    """Gives positions. A position is only compared with those of tasks of the same priority."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def move(self, task: str, place: int) -> None:
        """Make a task the `place`-th of those that wait (0 is next to be rendered; past the end is last).

        Where tasks of another priority stand there, its own becomes the nearest that lets it stand between them.
        Raises UnknownTask.
        """
        self.move_together([task], place)

    def move_together(self, tasks: Sequence[str], place: int) -> None:
        """Make tasks the `place`-th of those that wait and the ones behind it, in this order. Raises UnknownTask."""
        with self._database.writing():
            moving = [self._facts(task) for task in tasks]
            above, below = self._neighbours([task["number"] for task in moving], max(0, min(place, 1 << 62)))
            fitting = _fit(moving, above, below)
            for index, (task, behind) in enumerate(zip(moving, fitting, strict=True)):
                if below is not None and below["behind"] == behind:
                    # So are those that follow, if they wait.
                    position = self._before(below["number"], moving=task["number"], more=len(moving) - index - 1)
                else:
                    position = self.at_the_end()[0]
                change = self._database.next_changes()
                self._database.write(
                    "UPDATE tasks SET priority = ?, position = ?, changed = ? WHERE number = ?",
                    (-behind, position, change, task["number"]),
                )

    def place(self, task: str) -> int | None:
        """How many tasks wait before this one; None if it does not wait. Raises UnknownTask."""
        with self._database.reading():
            rows = self._database.read(
                "SELECT state, behind, position, number FROM tasks WHERE id = ?", (storable(task),)
            )
            if not rows:
                raise UnknownTask(task)
            if rows[0]["state"] not in WAITING:
                return None
            counts = self._database.read(
                "SELECT count(*) FROM tasks WHERE state IN (?, ?, ?) AND (behind, position, number) < (?, ?, ?)",
                (*WAITING, rows[0]["behind"], rows[0]["position"], rows[0]["number"]),
            )
            return int(counts[0][0])

    def at_the_end(self, count: int = 1) -> Sequence[int]:
        """Positions behind every other, in order. To be called inside a transaction."""
        self._database.write("UPDATE tally SET position = position + ?", (count * _GAP,))
        last = int(self._database.read("SELECT position FROM tally")[0][0])
        return range(last - (count - 1) * _GAP, last + 1, _GAP)

    def _facts(self, task: str) -> Any:
        rows = self._database.read("SELECT number, behind, state FROM tasks WHERE id = ?", (storable(task),))
        if not rows:
            raise UnknownTask(task)
        return rows[0]

    def _neighbours(self, moving: Sequence[int], place: int) -> tuple[Any | None, Any | None]:
        """The waiting tasks that would stand before and behind `place` if the moving ones were gone."""
        gone = json.dumps(moving)
        statement = ordered_by_state(f"state = ? AND {_NOT_AMONG}", WAITING)
        values = [value for state in WAITING for value in (state, gone)]
        first = max(0, place - 1)
        rows = self._database.read(statement, (*values, 2, first))
        if place == 0:
            return None, rows[0] if rows else None
        if not rows:
            return self._last_waiting(gone), None
        return rows[0], rows[1] if len(rows) > 1 else None

    def _last_waiting(self, gone: str) -> Any | None:
        rows = [
            row
            for state in WAITING
            for row in self._database.read(
                f"SELECT number, behind, position FROM tasks WHERE state = ? AND {_NOT_AMONG} "  # noqa: S608
                "ORDER BY behind DESC, position DESC, number DESC LIMIT 1",
                (state, gone),
            )
        ]
        return max(rows, key=lambda row: (row["behind"], row["position"], row["number"]), default=None)

    def _before(self, below: int, *, moving: int, more: int) -> int:
        """A position right before the task `below`, behind all that stand before it, with room for some `more`."""
        while True:
            behind, position = self._database.read("SELECT behind, position FROM tasks WHERE number = ?", (below,))[0]
            rows = self._database.read(
                "SELECT position FROM tasks WHERE behind = ? AND (position, number) < (?, ?) AND number <> ? "
                "ORDER BY position DESC, number DESC LIMIT 1",
                (behind, position, below, moving),
            )
            if not rows:
                return int(position) - (more + 1) * _GAP
            before, room = int(rows[0][0]), int(position - rows[0][0])
            if room >= 2:
                return before + max(1, room // (more + 2))
            self._make_room(behind, position)

    def _make_room(self, behind: int, position: int) -> None:
        """Spread the fewest neighbours of a crowded position evenly over the room that they have together."""
        neighbours = _FEWEST_NEIGHBOURS
        while True:
            before = self._database.read(
                "SELECT number, position FROM tasks WHERE behind = ? AND position < ? "
                "ORDER BY position DESC, number DESC LIMIT ?",
                (behind, position, neighbours),
            )
            after = self._database.read(
                "SELECT number, position FROM tasks WHERE behind = ? AND position >= ? "
                "ORDER BY position, number LIMIT ?",
                (behind, position, neighbours),
            )
            rows = [*reversed(before), *after]
            room = (rows[-1]["position"] - rows[0]["position"]) // max(1, len(rows) - 1)
            everyone = len(before) < neighbours and len(after) < neighbours
            if room >= _ENOUGH_ROOM or everyone:
                break
            neighbours *= 2
        if room < _ENOUGH_ROOM:
            room = _GAP
        change = self._database.next_changes(len(rows))
        for index, row in enumerate(rows):
            self._database.write(
                "UPDATE tasks SET position = ?, changed = ? WHERE number = ?",
                (rows[0]["position"] + index * room, change + index, row["number"]),
            )
        last = rows[0]["position"] + (len(rows) - 1) * room
        self._database.write("UPDATE tally SET position = max(position, ?)", (last,))


def _fit(moving: Sequence[Any], above: Any | None, below: Any | None) -> list[int]:
    """What tasks are `behind` once they stand between two others in their order: their own, or the nearest that fits.

    The priority of what comes before is raised to that of what follows, so nothing that was urgent is less so.
    """
    fitting = []
    follows = below["behind"] if below is not None else None
    for task in reversed(moving):
        behind: int = task["behind"] if follows is None else min(task["behind"], follows)
        if above is not None:
            behind = max(behind, above["behind"])
        fitting.append(behind)
        if task["state"] in WAITING:
            follows = behind
    return fitting[::-1]
