"""Five thousand tasks through one host: what a process holds stays what it was."""

from __future__ import annotations

import ctypes
import gc
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import pytest
from scipy.stats import theilslopes

from cbtui.core.events import EventSink
from cbtui.engine.base import ChunkRequest, all_are_wanted
from tests.host.serving import serving
from tests.support.fake_engine import Answer, FakeEngine, speak
from tests.support.fake_host import places_in

TASKS = 5000
SAMPLES = 25
# The first tasks fill caches and pools.
WARM_UP = 5
# Measured: 400, all of it SQLite's page caches (2 MB a connection at most) on their way to their bound; Python's own
# heap grows by 50. One take that is kept would be 20,000.
MOST_BYTES_A_TASK = 1000.0
SECONDS = 400.0


def held(process: psutil.Process) -> int:
    """Bytes of RSS that are in use: without garbage, and without what the C library keeps for later.

    How much it keeps depends on how many threads met in it, and comes in steps of 2 MiB where pages are that large.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
    return process.memory_info().rss


class Forgetful(FakeEngine):
    """Keeps no list of what it was asked, which would be the leak."""

    def render(
        self,
        requests: Iterable[ChunkRequest],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        return map(speak, requests)


@pytest.mark.timeout(500)
def test_memory_threads_and_descriptors_stay_flat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process = psutil.Process()
    samples: list[tuple[int, int, int, int]] = []
    each = TASKS // SAMPLES
    with serving(places_in(tmp_path), Forgetful()) as served:
        for batch in range(SAMPLES):
            for number in range(each):
                served.drop(f"{batch}/{number}.txt", f"Task {number} of batch {batch} has its own words.")
            done = (batch + 1) * each
            served.until(lambda done=done: served.store.queue.counts()["done"] == done, f"{done} done", SECONDS)
            # A file that is there is remembered, about 700 bytes each; this is about what is not to be kept.
            shutil.rmtree(served.places.jobs / str(batch))
            served.until(lambda: not served.store.files.below(served.places.jobs), "the files are forgotten")
            served.told.clear()
            samples.append((done, held(process), threading.active_count(), process.num_fds()))
    tasks, memory, threads, descriptors = zip(*samples[WARM_UP:], strict=True)
    slope = theilslopes(memory, tasks).slope  # the median of the slopes between each two: one odd sample counts little
    with capsys.disabled():
        print(
            f"\nsoak of {TASKS} tasks: {slope:.0f} bytes a task, {set(threads)} threads, {set(descriptors)} descriptors"
        )
    assert slope < MOST_BYTES_A_TASK
    assert max(threads) <= min(threads) + 1
    assert max(descriptors) <= min(descriptors) + 3
