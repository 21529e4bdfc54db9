"""What viewers ask of the host, and what it answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from cbtui.core.queue import Command
from cbtui.host.store.database import Database
from cbtui.host.store.values import storable, whole

_ANSWERED_KEPT = 1000
# A person notices about 100 ms.
_GLANCE_SECONDS = 0.05


class Commands:
    """A command waits until it is answered, so one that a dying host did not get to is there for the next host.

    The host applies and answers a command in one transaction of the store; then it happens once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def post(self, verb: str, arguments: Mapping[str, object] | None = None) -> int:
        """Ask the host; returns the number to wait for. Arguments are JSON-like: ValueError and TypeError if not."""
        text = json.dumps(arguments or {}, allow_nan=False)
        with self._database.writing():
            return self._database.insert(
                "INSERT INTO commands (verb, arguments, posted) VALUES (?, ?, ?)",
                (storable(verb), text, self._database.now()),
            )

    def waiting(self, limit: int = 100) -> tuple[Command, ...]:
        """What is still to be answered, in the order it was asked."""
        rows = self._database.read(
            "SELECT * FROM commands WHERE state = 'waiting' ORDER BY number LIMIT ?", (whole(limit),)
        )
        return tuple(_read_command(row) for row in rows)

    def answer(self, number: int, state: Literal["done", "refused"], answer: str = "") -> bool:
        """Answer a command; False if it has been answered before."""
        with self._database.writing():
            answered = self._database.write(
                "UPDATE commands SET state = ?, answer = ? WHERE number = ? AND state = 'waiting'",
                (state, storable(answer), whole(number)),
            )
            self._database.write(
                "DELETE FROM commands WHERE number <= ? AND state <> 'waiting'", (whole(number) - _ANSWERED_KEPT,)
            )
            return answered > 0

    def get(self, number: int) -> Command | None:
        """A command by its number; None once it is forgotten, long after its answer."""
        rows = self._database.read("SELECT * FROM commands WHERE number = ?", (whole(number),))
        return _read_command(rows[0]) if rows else None

    def wait(
        self,
        number: int,
        *,
        seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Command | None:
        """The command once it is answered; None if that takes longer than `seconds`."""
        deadline = monotonic() + seconds
        while True:
            command = self.get(number)
            if command is None or command.state != "waiting":
                return command
            if monotonic() >= deadline:
                return None
            sleep(_GLANCE_SECONDS)


def _read_command(row: Any) -> Command:
    return Command(
        number=row["number"],
        verb=row["verb"],
        arguments=json.loads(row["arguments"]),
        state=row["state"],
        answer=row["answer"],
        posted=row["posted"],
    )
