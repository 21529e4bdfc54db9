"""From a file that is dropped to a task in the queue, against a bare watchfiles loop; and folders of many files."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cbtui.bench.figures import percentiles, stopwatch
from cbtui.host.host import Host
from cbtui.host.options import HostOptions
from cbtui.host.rendering.engines import Engines
from cbtui.host.store import Store, attach_store, open_store, store_path
from cbtui.jobs.watching.tree import Tree
from cbtui.paths import Places

_DEADLINE = 600.0
# The watcher of the package must see the folder before the first file is dropped.
_SETTLING_SECONDS = 1.0


def bench_latency(folder: Path, *, drops: int, burst: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """`drop_ms` of single files, the same seen by bare watchfiles, `burst` of many at once. Nothing is rendered."""
    places = _places(folder / "drops")
    with _hosting(places) as store:
        tell(f"dropping {drops} files, one by one")
        single = percentiles(_drop(places.jobs, store, number) for number in range(drops))
    tell("the same drops for a bare watchfiles loop, at its fastest (step 10) and with its defaults")
    fast = percentiles(_seen_by_watchfiles(folder / "bare-fast", drops, step=10, debounce=100))
    usual = percentiles(_seen_by_watchfiles(folder / "bare", min(drops, 30), step=50, debounce=1600))
    tell(f"a burst of {burst} files")
    return {
        "drop_to_queued_ms": single,
        "drop": {
            "watchfiles_fast_ms": fast,
            "watchfiles_defaults_ms": usual,
            "ratio_to_fast": single["p50"] / fast["p50"],
            "ratio_to_defaults": single["p50"] / usual["p50"],
        },
        "burst": _burst(_places(folder / "burst"), burst, tell),
    }


def _burst(places: Places, files: int, tell: Callable[[str], None]) -> dict[str, Any]:
    waits: list[float] = []
    with _hosting(places) as store:
        with stopwatch() as writing:
            written = [_write(places.jobs / f"{number}.txt", number) for number in range(files)]
        seen = 0
        end = time.monotonic() + _DEADLINE
        with stopwatch() as queueing:
            while seen < files and time.monotonic() < end:
                now, count = time.time(), store.queue.count()
                # Files are taken in natural order of a look, so the oldest are done first.
                waits += [1000 * (now - at) for at in written[seen:count]]
                seen = count
                time.sleep(0.005)
        if seen < files:
            raise TimeoutError(f"only {seen} of {files} files were queued")
    known = _restart(places, files)
    tell("looking at the folder, and starting over it again")
    return {
        "files": files,
        "write_seconds": writing(),
        "seconds": queueing(),
        "per_second": files / queueing(),
        "wait_ms": percentiles(waits),
        "scan": _scan(places.jobs),
        "restart_seconds": known,
    }


def _restart(places: Places, files: int) -> float:
    """Seconds until a host has seen that nothing changed since the last."""
    with stopwatch() as seconds, _hosting(places) as store:
        while store.queue.count() < files:
            time.sleep(0.005)
    return seconds()


def _scan(jobs: Path) -> dict[str, float]:
    """A complete look, and a bare walk with a stat of each file, in seconds."""
    tree = Tree(jobs)
    with stopwatch() as ours:
        tree.look()
    with stopwatch() as bare:
        for folder, _, names in os.walk(jobs):
            for name in names:
                os.lstat(os.path.join(folder, name))  # noqa: PTH118 - the fastest there is
    return {"seconds": ours(), "bare_seconds": bare(), "ratio": ours() / bare()}


def _drop(jobs: Path, store: Store, number: int) -> float:
    """Milliseconds from the rename to the row in the store, seen by another connection that looks all the time."""
    chance = random.Random(number)
    time.sleep(chance.uniform(0.0, 0.1))
    started = time.perf_counter()
    _write(jobs / f"{number}.txt", number)
    task = f"{jobs.name}/{number}"
    end = started + _DEADLINE
    while not store.queue.matching(task):
        if time.perf_counter() > end:
            raise TimeoutError(f"{task} was not queued")
    return 1000 * (time.perf_counter() - started)


def _seen_by_watchfiles(folder: Path, drops: int, *, step: int, debounce: int) -> list[float]:
    from watchfiles import watch

    folder.mkdir(parents=True)
    seen: dict[str, float] = {}
    stop = threading.Event()

    def listen() -> None:
        for changes in watch(folder, step=step, debounce=debounce, stop_event=stop, rust_timeout=100):
            now = time.perf_counter()
            for _, path in changes:
                seen.setdefault(Path(path).name, now)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    time.sleep(_SETTLING_SECONDS)
    taken = []
    for number in range(drops):
        time.sleep(random.Random(number).uniform(0.0, 0.1))
        started = time.perf_counter()
        _write(folder / f"{number}.txt", number)
        while f"{number}.txt" not in seen:
            time.sleep(0.0002)
        taken.append(1000 * (seen[f"{number}.txt"] - started))
    stop.set()
    thread.join(2.0)
    return taken


def _write(path: Path, number: int) -> float:
    """Put a whole file there, as `mv` does; returns when (Unix time)."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(f"This is file number {number}, which says a few words.\n")
    beside.rename(path)
    return time.time()


@contextmanager
def _hosting(places: Places) -> Iterator[Store]:
    """A host that takes files in and renders none."""
    with open_store(store_path(places)).store as store:
        store.meta.set_paused(paused=True)
    host = Host(Engines(places), options=HostOptions(), overrides={}, journal=lambda entry: None)
    host.start()
    try:
        host.wait_until_taken_in(_DEADLINE)
        with attach_store(store_path(places)) as store:
            yield store
    finally:
        host.stop()


def _places(root: Path) -> Places:
    (root / "jobs").mkdir(parents=True)
    (root / "state").mkdir()
    return Places(root / "jobs", root / "output", root / "state", root / "cache", root / "config")
