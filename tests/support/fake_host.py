"""A real host in a process of its own, on an engine that speaks tones: `python -m tests.support.fake_host --help`.

Everything is what a user gets but the engine: the store, the watcher, the threads, the files.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cbtui.core import status
from cbtui.core.events import ChunkProgressed, EventSink
from cbtui.core.task import EngineName, ModelName
from cbtui.engine.base import ChunkRequest, DeviceLost, Engine, all_are_wanted
from cbtui.engine.cache import ModelCache
from cbtui.host.host import Host
from cbtui.host.journal import JournalEntry
from cbtui.host.lock import HostRunning
from cbtui.host.options import HookCommands, HostOptions
from cbtui.host.rendering.engines import Engines
from cbtui.paths import Places
from tests.support.fake_engine import Answer, FakeEngine, speak, there


class FakeEngines(Engines):
    """Engines that speak tones, whatever the task asks for. `make` gives the engine of a model."""

    def __init__(self, places: Places, make: Callable[[ModelName], Engine]) -> None:
        super().__init__(places, models=ModelCache())
        self._make_fake = make

    def _make(self, engine: EngineName, model: ModelName) -> Engine:
        return self._make_fake(model)

    def device_in_use(self) -> None:
        """What stands in a model's place is on no device, and torch is not asked about it."""


class SlowEngine(FakeEngine):
    """Takes `seconds` for a chunk, in twenty tokens."""

    def __init__(self, seconds: float, answer: Callable[[ChunkRequest], Answer] = speak) -> None:
        super().__init__(answer)
        self.seconds = seconds

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        for request in there(requests):
            for token in range(20):
                if should_stop():
                    return
                time.sleep(self.seconds / 20)
                emit(ChunkProgressed(request.request_id, token + 1))
            yield self._answer(request)


@dataclass(frozen=True)
class LostDevice:
    """Answers like a device that is lost at a chunk with this text, in process after process, so many times.

    `lost` is the file that remembers how often.
    """

    text: str
    times: int
    lost: Path

    def __call__(self, request: ChunkRequest) -> Answer:
        before = self.lost.read_text() if self.lost.exists() else ""
        if self.text in request.text and len(before) < self.times:
            self.lost.write_text(before + "x")
            raise DeviceLost("the device fake failed.")
        return speak(request)


def places_in(root: Path) -> Places:
    """Places of a user whose home is `root`."""
    return Places(
        jobs=root / "jobs", output=root / "output", state=root / "state", cache=root / "cache", config=root / "config"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="a host on the fake engine")
    parser.add_argument("root", type=Path)
    parser.add_argument("--most-deaths", type=int, help="hosts that may die of one chunk before it is quarantined")
    parser.add_argument("--chunk-seconds", type=float, default=0.02)
    parser.add_argument("--lose-device-at", metavar="TEXT", help="lose the device at chunks with this text")
    parser.add_argument("--lose-times", type=int, default=1_000, metavar="N", help="so often, then never again")
    parser.add_argument("--task-done", type=shlex.split, default=[], metavar="COMMAND", help="hook for finished tasks")
    arguments = parser.parse_args()
    if arguments.most_deaths is not None:
        status.MAX_HOST_DEATHS = arguments.most_deaths
    places = places_in(arguments.root)
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: ended.append(number))

    # Every thread tells; two entries on one line would be none.
    telling = threading.Lock()

    def tell(entry: JournalEntry) -> None:
        with telling:
            print(entry.json(), flush=True)

    text = arguments.lose_device_at
    answer = LostDevice(text, arguments.lose_times, arguments.root / "device-lost") if text else speak
    engines = FakeEngines(places, lambda model: SlowEngine(arguments.chunk_seconds, answer))
    options = HostOptions(hooks=HookCommands(task_done=tuple(arguments.task_done)))
    host = Host(engines, options=options, overrides={}, journal=tell)
    try:
        host.start()
    except HostRunning as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(3)
    while not ended and not host.wait(0.05):
        pass
    host.stop()
    sys.stdout.flush()
    if host.restart_wanted and not ended:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    os._exit(128 + ended[0] if ended else 0)


if __name__ == "__main__":
    main()
