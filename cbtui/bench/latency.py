"""From a file that is dropped to a task in the queue, one by one and many at once, against a bare watchfiles loop."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cbtui.bench.figures import Tell, percentiles
from cbtui.bench.folders import restart, scan
from cbtui.bench.hosting import DEADLINE, hosting, is_queued, make_places, write_text
from cbtui.host.store import Store
from cbtui.paths import Places

# Whoever listens must hear the folder before the first file is dropped.
_SETTLING_SECONDS = 1.0
# Measured: looking without a pause takes the interpreter from the host's threads, and doubles the slowest drops.
_PAUSE_SECONDS = 0.0005
_BURST_PAUSE_SECONDS = 0.005
_ROWS = 1000


def bench_drops(folder: Path, drops: int, *, tell: Tell) -> dict[str, Any]:
    """`drop_to_queued_ms` of single files at irregular moments, and under `drop` the same for bare watchfiles.

    `drop.poll_ms` is the time between two looks at the store: by so much a drop may have been quicker.
    """
    places = make_places(folder / "ours")
    tell(f"dropping {drops} files, one by one")
    polls: list[float] = []
    with hosting(places) as hosted:
        time.sleep(_SETTLING_SECONDS)
        ours = percentiles([_drop(places.jobs, hosted.store, number, polls) for number in range(drops)])
    tell("the same drops for a bare watchfiles loop, at its fastest (step 10) and with its defaults")
    fast = percentiles(_seen_by_watchfiles(folder / "fast", drops, step=10, debounce=100))
    usual = percentiles(_seen_by_watchfiles(folder / "usual", drops, step=50, debounce=1600))
    return {
        "drop_to_queued_ms": ours,
        "drop": {
            "poll_ms": percentiles(polls),
            "watchfiles_fast_ms": fast,
            "watchfiles_defaults_ms": usual,
            "ratio_to_fast": ours["p50"] / fast["p50"],
            "ratio_to_defaults": ours["p50"] / usual["p50"],
        },
    }


def bench_burst(folder: Path, files: int, *, tell: Tell) -> dict[str, Any]:
    """`seconds` from the first file written until all are queued, `wait_ms` of each from its rename.

    `middle_drop_ms`: one more file, dropped when half of them were queued. Then `scan` and `restart_seconds` as for
    a folder of any origin.
    """
    places = make_places(folder)
    tell(f"a burst of {files} files")
    with hosting(places) as hosted:
        time.sleep(_SETTLING_SECONDS)
        figures = _burst(places, hosted.store, files)
    return {"files": files, **figures, "scan": scan(places.jobs), "restart_seconds": restart(places)}


def _burst(places: Places, store: Store, files: int) -> dict[str, Any]:
    # Written beside the folder, so that within it there is nothing but renames.
    sources = [_prepare(places.jobs, number) for number in range(files)]
    extra = _prepare(places.jobs, files)
    started = time.perf_counter()
    dropped = {f"jobs/{number}": _rename(source, places.jobs) for number, source in enumerate(sources)}
    written = time.perf_counter() - started
    queued: dict[str, float] = {}
    upto = 0
    while not dropped.keys() <= queued.keys():
        if time.perf_counter() - started > DEADLINE:
            raise TimeoutError(f"only {len(queued)} of {files} files were queued")
        changes = store.queue.changed_since(upto, limit=_ROWS)
        upto, now = changes.upto, time.perf_counter()
        for row in changes.tasks:
            queued.setdefault(row.id, now)
        if extra.exists() and 2 * len(queued) >= files:
            dropped[f"jobs/{files}"] = _rename(extra, places.jobs)
        if not changes.more:
            time.sleep(_BURST_PAUSE_SECONDS)
    middle = 1000 * (queued[f"jobs/{files}"] - dropped.pop(f"jobs/{files}"))
    seconds = max(queued[task] for task in dropped) - started
    return {
        "write_seconds": written,
        "seconds": seconds,
        "per_second": files / seconds,
        "wait_ms": percentiles(1000 * (queued[task] - at) for task, at in dropped.items()),
        "middle_drop_ms": middle,
    }


def _drop(jobs: Path, store: Store, number: int, polls: list[float]) -> float:
    """Milliseconds from right before the rename to the row in the store, as another connection sees it."""
    source = _prepare(jobs, number)
    time.sleep(_irregular(number))
    started = looked = _rename(source, jobs)
    while not is_queued(store, f"{jobs.name}/{number}"):
        if looked - started > DEADLINE:
            raise TimeoutError(f"{jobs.name}/{number} was not queued")
        time.sleep(_PAUSE_SECONDS)
        before, looked = looked, time.perf_counter()
        polls.append(1000 * (looked - before))
    return 1000 * (time.perf_counter() - started)


def _seen_by_watchfiles(root: Path, drops: int, *, step: int, debounce: int) -> list[float]:
    """Milliseconds from right before each rename to the loop that is told of it."""
    folder = make_places(root).jobs
    taken = []
    with _listening(folder, step, debounce) as seen:
        time.sleep(_SETTLING_SECONDS)
        for number in range(drops):
            source = _prepare(folder, number)
            time.sleep(_irregular(number))
            started = _rename(source, folder)
            while source.name not in seen:
                if time.perf_counter() - started > DEADLINE:
                    raise TimeoutError(f"watchfiles did not tell of {source.name}")
                time.sleep(_PAUSE_SECONDS)
            taken.append(1000 * (seen[source.name] - started))
    return taken


@contextmanager
def _listening(folder: Path, step: int, debounce: int) -> Iterator[dict[str, float]]:
    """Gives when each name was told, as the clock of `time.perf_counter` has it."""
    from watchfiles import watch

    seen: dict[str, float] = {}
    stop = threading.Event()

    def listen() -> None:
        for changes in watch(folder, step=step, debounce=debounce, stop_event=stop, rust_timeout=100):
            now = time.perf_counter()
            for _, path in changes:
                seen.setdefault(Path(path).name, now)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(2.0)


def _irregular(number: int) -> float:
    """Seconds to the next drop: others for each number, the same in every run."""
    return random.Random(number).uniform(0.0, 0.1)


def _prepare(jobs: Path, number: int) -> Path:
    """A whole file beside the jobs directory."""
    path = jobs.parent / f"{number}.txt"
    write_text(path, number)
    return path


def _rename(source: Path, jobs: Path) -> float:
    """Drop a file; returns the moment before (`time.perf_counter`)."""
    moment = time.perf_counter()
    source.rename(jobs / source.name)
    return moment
