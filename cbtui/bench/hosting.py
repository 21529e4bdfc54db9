"""A host in this process that takes files in and renders none of them, in folders of the bench's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cbtui.host.host import Host
from cbtui.host.options import HostOptions
from cbtui.host.rendering.engines import Engines
from cbtui.host.store import Store, UnknownTask, attach_store, open_store, store_path
from cbtui.paths import Places

DEADLINE = 600.0  # seconds
_ENDING_SECONDS = 5.0


def make_places(root: Path) -> Places:
    (root / "jobs").mkdir(parents=True)
    (root / "state").mkdir()
    return Places(root / "jobs", root / "output", root / "state", root / "cache", root / "config")


@dataclass(frozen=True, slots=True)
class Hosted:
    """`store` is a connection of its own, as a viewer's. `start_seconds`: from the start until all files were read.

    Where there are 100 or fewer, a quarter of a second in which the intake waited for more is part of it.
    """

    store: Store
    start_seconds: float


@contextmanager
def hosting(places: Places) -> Iterator[Hosted]:
    """The queue is paused, so no engine is asked for anything. Raises TimeoutError."""
    with open_store(store_path(places)).store as store:
        store.meta.set_paused(paused=True)
    host = Host(Engines(places), options=HostOptions(), overrides={}, journal=lambda entry: None)
    started = time.perf_counter()
    host.start()
    try:
        if not host.wait_until_taken_in(DEADLINE):
            raise TimeoutError(f"the files in {places.jobs} were not taken in")
        taken = time.perf_counter() - started
        with attach_store(store_path(places)) as store:
            yield Hosted(store, taken)
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
