"""How much there is to do, and how fast it went so far: what estimates are made of."""

from __future__ import annotations

from dataclasses import dataclass

from cbtui.core.status import State
from cbtui.host.store.database import Database
from cbtui.host.store.values import finite, storable

# Each further rendering makes what went before count less: after 20 of equal length, about a third.
_FADING = 0.95


@dataclass(frozen=True, slots=True)
class Amount:
    """Tasks that need one model and voice, and the characters of their texts."""

    model: str
    voice: str
    tasks: int
    characters: int


@dataclass(frozen=True, slots=True)
class Speed:
    """`characters` of text took `seconds`, both fading with age."""

    model: str
    voice: str
    characters: float
    seconds: float


class Work:
    """Sums over tasks by what they need, and the pace of finished renderings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def amounts(self, *states: State) -> tuple[Amount, ...]:
        """What there is to do in these states; quick, whatever the length of the queue."""
        holders = ", ".join("?" * len(states))
        rows = self._database.read(
            "SELECT model, voice, sum(tasks) AS tasks, sum(characters) AS characters FROM work "  # noqa: S608
            f"WHERE state IN ({holders}) GROUP BY model, voice HAVING sum(tasks) > 0",
            states,
        )
        return tuple(Amount(row["model"], row["voice"], row["tasks"], row["characters"]) for row in rows)

    def add_speed(self, model: str, voice: str, *, characters: float, seconds: float) -> None:
        """Learn from a rendering. Raises StoreFull."""
        with self._database.writing():
            self._database.write(
                "INSERT INTO speeds VALUES (:model, :voice, :characters, :seconds) ON CONFLICT DO UPDATE SET "
                "characters = characters * :fading + excluded.characters, "
                "seconds = seconds * :fading + excluded.seconds",
                {
                    "model": storable(model),
                    "voice": storable(voice),
                    "characters": finite(characters),
                    "seconds": finite(seconds),
                    "fading": _FADING,
                },
            )

    def speeds(self) -> tuple[Speed, ...]:
        rows = self._database.read("SELECT * FROM speeds")
        return tuple(Speed(row["model"], row["voice"], row["characters"], row["seconds"]) for row in rows)
