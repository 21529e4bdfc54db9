"""What the screen knows at one moment, as frozen facts that its thread reads and widgets show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cbtui.core.events import CacheEvent
from cbtui.core.queue import Filter, Sort, TaskRow
from cbtui.core.status import State
from cbtui.host.estimates import Pace

if TYPE_CHECKING:
    from cbtui.engine.cache_log import LayerSum
    from cbtui.host.lock import Holder

SORTS: tuple[Sort, ...] = ("queue", "name", "state", "newest")


@dataclass(frozen=True, slots=True)
class View:
    """Which part of the queue is wanted: `height` tasks from the `top`-th of those that fit. `focus` is a task's id.

    `find` is the id of a task whose place among them is wanted.
    """

    only: Filter = field(default_factory=Filter)
    sort: Sort = "queue"
    top: int = 0
    height: int = 50
    focus: str | None = None
    find: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`rows` are the tasks from `view.top` on, of `total` that fit. `live` is the host's own account, a second old.

    `opened` is the id of a task that is looked at by itself, its row None where the queue does not have it.
    `found` is the place of `view.find`, None where it does not fit, or is not in the queue at all: then it is not
    `is_sought_there` either. `holder` is None without a host.
    `cache_events` are the newest look-ups with their numbers, oldest first.
    """

    view: View = field(default_factory=View)
    total: int = 0
    rows: tuple[TaskRow, ...] = ()
    focus: TaskRow | None = None
    opened: str | None = None
    opened_row: TaskRow | None = None
    found: int | None = None
    is_sought_there: bool = False
    counts: Mapping[State, int] = field(default_factory=dict)
    paused: bool = False
    seconds_left: float | None = None
    pace: Pace = field(default_factory=lambda: Pace({}, {}))
    holder: Holder | None = None
    live: Mapping[str, Any] = field(default_factory=dict)
    cache_events: tuple[tuple[int, CacheEvent], ...] = ()
    cache_sums: tuple[LayerSum, ...] = ()
    trouble: str = ""

    @property
    def waiting(self) -> int:
        """Tasks that are still to be rendered on their own account."""
        return self.counts.get("queued", 0) + self.counts.get("rendering", 0)
