"""Thousands of tasks through one host in a process of its own: `python -m tests.support.soak FOLDER TASKS SAMPLES`.

Prints a line of JSON after each of so many parts: the tasks `done`, the Python objects (`blocks`) and the bytes of
`memory` in use, `threads` and `descriptors`.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

from cbtui.core.events import EventSink
from cbtui.engine.base import ChunkRequest, all_are_wanted
from tests.host.serving import serving
from tests.support.fake_engine import Answer, FakeEngine, speak, there
from tests.support.fake_host import places_in
from tests.support.held import held

_SECONDS = 400.0


class Forgetful(FakeEngine):
    """Keeps no list of what it was asked, which would be the leak."""

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        return map(speak, there(requests))


def main() -> None:
    folder, tasks, samples = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    each = tasks // samples
    with serving(places_in(folder), Forgetful()) as served:
        for part in range(samples):
            for number in range(each):
                served.drop(f"{part}/{number}.txt", f"Task {number} of part {part} has its own words.")
            done = (part + 1) * each
            served.until(lambda done=done: served.store.queue.counts()["done"] == done, f"{done} done", _SECONDS)
            # A file that is there is remembered, about 700 bytes each; this is about what is not to be kept.
            shutil.rmtree(served.places.jobs / str(part))
            served.until(lambda: not served.store.files.below(served.places.jobs), "the files are forgotten")
            served.told.clear()
            blocks, memory = held()
            threads, descriptors = threading.active_count(), psutil.Process().num_fds()
            sample = {"done": done, "blocks": blocks, "memory": memory, "threads": threads, "descriptors": descriptors}
            print(json.dumps(sample), flush=True)


if __name__ == "__main__":
    main()
