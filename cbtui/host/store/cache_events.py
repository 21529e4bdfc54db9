"""Cache look-ups as viewers see them: the newest one by one, all of them as sums."""

from __future__ import annotations

from collections.abc import Iterable

from cbtui.core.events import CACHE_LAYERS, CacheEvent
from cbtui.engine.cache_log import LayerSum
from cbtui.host.store.database import Database
from cbtui.host.store.values import finite, storable, whole

# 100,000 tasks look up millions of chunks; their sums outlive them.
_EVENTS_KEPT = 10_000


class CacheEvents:
    """Every look-up that the host made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, events: Iterable[CacheEvent]) -> None:
        """Write down look-ups in one transaction. Raises StoreFull and OutOfRange."""
        number = 0
        with self._database.writing():
            for event in events:
                seconds, saved = finite(event.seconds), finite(event.saved)
                number = self._database.insert(
                    "INSERT INTO cache_events (at, layer, key, hit, seconds, saved, message) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        finite(event.at),
                        event.layer,
                        storable(event.key),
                        int(event.hit),
                        seconds,
                        saved,
                        storable(event.message),
                    ),
                )
                self._database.write(
                    "INSERT INTO cache_sums VALUES (?, ?, ?, ?, ?) ON CONFLICT (layer) DO UPDATE SET "
                    "hits = hits + excluded.hits, misses = misses + excluded.misses, "
                    "seconds = seconds + excluded.seconds, saved = saved + excluded.saved",
                    (event.layer, int(event.hit), int(not event.hit), seconds, saved),
                )
            self._database.write("DELETE FROM cache_events WHERE number <= ?", (number - _EVENTS_KEPT,))

    def newest(self, limit: int, *, after: int = 0) -> tuple[tuple[int, CacheEvent], ...]:
        """The newest look-ups with their numbers, oldest first, of those behind number `after`."""
        rows = self._database.read(
            "SELECT * FROM cache_events WHERE number > ? ORDER BY number DESC LIMIT ?", (whole(after), whole(limit))
        )
        return tuple(
            (
                row["number"],
                CacheEvent(
                    layer=row["layer"],
                    key=row["key"],
                    hit=bool(row["hit"]),
                    seconds=row["seconds"],
                    saved=row["saved"],
                    message=row["message"],
                    at=row["at"],
                ),
            )
            for row in reversed(rows)
        )

    def sums(self) -> tuple[LayerSum, ...]:
        """The sums of all three layers, in their order, over all look-ups there ever were."""
        rows = {row["layer"]: row for row in self._database.read("SELECT * FROM cache_sums")}
        return tuple(
            LayerSum(layer, row["hits"], row["misses"], row["seconds"], row["saved"])
            if (row := rows.get(layer))
            else LayerSum(layer, 0, 0, 0.0, 0.0)
            for layer in CACHE_LAYERS
        )
