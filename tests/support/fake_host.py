"""A real host in a process of its own, on an engine that speaks tones: `python -m tests.support.fake_host --help`.

Everything is what a user gets but the engine: the store, the watcher, the threads, the files.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cbtui.core.events import ChunkProgressed, EventSink
from cbtui.core.task import EngineName, ModelName
from cbtui.engine.base import ChunkRequest, Engine
from cbtui.engine.cache import ModelCache
from cbtui.host.host import Host
from cbtui.host.journal import JournalEntry
from cbtui.host.options import HostOptions
from cbtui.host.rendering.engines import Engines
from cbtui.paths import Places
from tests.support.fake_engine import Answer, FakeEngine, speak


class FakeEngines(Engines):
    """Engines that speak tones, whatever the task asks for. `make` gives the engine of a model."""

    def __init__(self, places: Places, make: Callable[[ModelName], Engine]) -> None:
        super().__init__(places, models=ModelCache())
        self._make_fake = make

    def _make(self, engine: EngineName, model: ModelName) -> Engine:
        return self._make_fake(model)


class SlowEngine(FakeEngine):
    """Takes `seconds` for a chunk, in twenty tokens."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def render(
        self, requests: Iterable[ChunkRequest], *, emit: EventSink, should_stop: Callable[[], bool]
    ) -> Iterator[Answer]:
        for request in requests:
            for token in range(20):
                if should_stop():
                    return
                time.sleep(self.seconds / 20)
                emit(ChunkProgressed(request.request_id, token + 1))
            yield speak(request)


def places_in(root: Path) -> Places:
    """Places of a user whose home is `root`."""
    return Places(
        jobs=root / "jobs", output=root / "output", state=root / "state", cache=root / "cache", config=root / "config"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="a host on the fake engine")
    parser.add_argument("root", type=Path)
    parser.add_argument("--chunk-seconds", type=float, default=0.02)
    arguments = parser.parse_args()
    places = places_in(arguments.root)
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: ended.append(number))

    def tell(entry: JournalEntry) -> None:
        print(entry.json(), flush=True)

    engines = FakeEngines(places, lambda model: SlowEngine(arguments.chunk_seconds))
    host = Host(engines, options=HostOptions(), overrides={}, journal=tell)
    host.start()
    while not ended and not host.wait(0.05):
        pass
    host.stop()
    sys.stdout.flush()
    os._exit(128 + ended[0] if ended else 0)


if __name__ == "__main__":
    main()
