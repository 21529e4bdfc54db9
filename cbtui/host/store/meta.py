"""What holds for the whole queue: whether it is paused, and who hosts it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cbtui.host.store.database import Database
from cbtui.host.store.values import storable


class Meta:
    """Words by name; a name that was never set is the empty word."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str:
        rows = self._database.read("SELECT value FROM meta WHERE key = ?", (storable(key),))
        return str(rows[0][0]) if rows else ""

    def set(self, key: str, value: str) -> None:
        """Raises StoreFull."""
        with self._database.writing():
            self._database.write("INSERT OR REPLACE INTO meta VALUES (?, ?)", (storable(key), storable(value)))

    def count(self, key: str) -> None:
        """Raise a number by one; one that was never set is 0. Raises StoreFull."""
        with self._database.writing():
            self.set(key, str(self.number(key) + 1))

    def number(self, key: str) -> int:
        return int(self.get(key) or 0)

    @property
    def paused(self) -> bool:
        """Whether the person has halted the queue; it outlives the host."""
        return self.get("paused") == "yes"

    @property
    def overrides(self) -> Mapping[str, str] | None:
        """Settings of the command line that the tasks here were read with last; None where nobody can tell."""
        try:
            kept = json.loads(self.get("overrides"))
        except ValueError:
            return None
        return {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else None

    def set_overrides(self, overrides: Mapping[str, str]) -> None:
        """Raises StoreFull."""
        if self.overrides != overrides:
            self.set("overrides", json.dumps(dict(overrides)))

    def set_paused(self, paused: bool) -> None:
        """Raises StoreFull."""
        self.set("paused", "yes" if paused else "")
