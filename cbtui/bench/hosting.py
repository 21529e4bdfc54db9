"""A host in this process that takes files in and renders none of them, in folders of the bench's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cbtui.host.host import Host
from cbtui.host.options import HostOptions
from cbtui.host.rendering.engines import Engines
from cbtui.host.store import Store, UnknownTask, attach_store, open_store, store_path
from cbtui.paths import Places

DEADLINE = 600.0  # seconds
_PAUSE_SECONDS = 0.005
_ENDING_SECONDS = 5.0


def make_places(root: Path) -> Places:
    (root / "jobs").mkdir(parents=True)
    (root / "state").mkdir()
    return Places(root / "jobs", root / "output", root / "state", root / "cache", root / "config")


@dataclass(frozen=True, slots=True)
class Hosted:
    """`store` is a connection of its own, as a viewer's; `started` the moment before the host's start."""

    store: Store
    started: float

    def until_queued(self, task: str) -> float:
        """Seconds from the host's start to this task in the queue. Raises TimeoutError."""
        return self._until(lambda: is_queued(self.store, task), task)

    def until_count(self, tasks: int) -> float:
        """Seconds from the host's start to so many tasks in the queue. Raises TimeoutError."""
        return self._until(lambda: self.store.queue.count() >= tasks, f"{tasks} tasks")

    def _until(self, is_met: Callable[[], bool], what: str) -> float:
        while not is_met():
            if time.perf_counter() - self.started > DEADLINE:
                raise TimeoutError(f"after {DEADLINE:.0f} s, not queued: {what}")
            time.sleep(_PAUSE_SECONDS)
        return time.perf_counter() - self.started


@contextmanager
def hosting(places: Places) -> Iterator[Hosted]:
    """The queue is paused, so no engine is asked for anything."""
    with open_store(store_path(places)).store as store:
        store.meta.set_paused(paused=True)
    host = Host(Engines(places), options=HostOptions(), overrides={}, journal=lambda entry: None)
    started = time.perf_counter()
    host.start()
    try:
        with attach_store(store_path(places)) as store:
            yield Hosted(store, started)
    finally:
        host.stop()
        _join_threads()


def _join_threads() -> None:
    """What still runs would make files in a folder that is about to be removed."""
    for thread in threading.enumerate():
        if thread.name.startswith("cbtui-"):
            thread.join(_ENDING_SECONDS)


def write_text(path: Path, number: int) -> None:
    """A short task, different for each number; its form goes by the ending of the name."""
    text = f"This is file number {number}, which says a few words.\n"
    path.write_text(f"text: {text}" if path.suffix == ".yaml" else text)


def is_queued(store: Store, task: str) -> bool:
    try:
        store.tasks.get(task)
    except UnknownTask:
        return False
    return True
