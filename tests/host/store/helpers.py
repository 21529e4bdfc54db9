"""Tasks and stores for these tests."""

from __future__ import annotations

from pathlib import Path

from cbtui.core.problem import Problem
from cbtui.core.stamp import Stamp
from cbtui.core.status import State
from cbtui.host.store import FoundTask, Store

# The legal steps that lead a new task to each state.
STEPS: dict[State, tuple[State, ...]] = {
    "queued": (),
    "rendering": ("rendering",),
    "done": ("rendering", "done"),
    "failed": ("rendering", "failed"),
    "paused": ("paused",),
    "cancelled": ("cancelled",),
    "invalid": ("invalid",),
    "blocked": ("blocked",),
    "quarantined": ("rendering", "quarantined"),
}


def found(
    task: str, *, digest: str = "d1", priority: int = 0, mtime_ns: int = 1, problems: tuple[Problem, ...] = ()
) -> FoundTask:
    stamp = Stamp(device=1, inode=2, size=3, mtime_ns=mtime_ns)
    return FoundTask(task, Path(f"/jobs/{task}.yaml"), stamp, digest, priority, problems)


def put(store: Store, *tasks: str, priority: int = 0) -> None:
    store.files.put(found(task, priority=priority) for task in tasks)


def lead(store: Store, task: str, to: State) -> None:
    for step in STEPS[to]:
        store.tasks.transition(task, step)


def names(store: Store) -> list[str]:
    """The whole queue in order, by the last part of each id."""
    return [row.id.rpartition("/")[2] for row in store.queue.page(limit=10_000)]
