"""A host in this process on the fake engine, and conditions to wait for. No test sleeps: it waits, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cbtui.core.status import State
from cbtui.core.task import ModelName
from cbtui.engine.base import Engine
from cbtui.host.host import Host
from cbtui.host.journal import JournalEntry
from cbtui.host.options import HostOptions
from cbtui.host.store import Command, Store, TaskRow, UnknownTask, attach_store, store_path
from cbtui.paths import Places
from tests.support.fake_engine import FakeEngine
from tests.support.fake_host import FakeEngines

DEADLINE = 20.0  # seconds


@dataclass
class Served:
    """A jobs directory with its host. `told` is the journal so far; `store` reads and posts as a viewer does."""

    places: Places
    host: Host
    store: Store
    engines: FakeEngines
    told: list[JournalEntry] = field(default_factory=list)

    def drop(self, name: str, text: str) -> Path:
        """Put a whole file into the jobs directory, as `mv` from elsewhere does."""
        path = self.places.jobs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_text(text)
        beside.rename(path)
        return path

    def sources(self) -> dict[str, str]:
        """The name of each task's file."""
        return {row.id: row.source.name for row in self.store.queue.page(limit=99)}

    def until(self, is_met: Callable[[], object], what: str = "", seconds: float = DEADLINE) -> None:
        end = time.monotonic() + seconds
        while not is_met():
            assert time.monotonic() < end, f"did not come: {what}\n" + "\n".join(e.line() for e in self.told[-30:])
            time.sleep(0.005)

    def until_state(self, task: str, *states: State) -> TaskRow:
        """Wait until a task stands in one of these states."""
        self.until(lambda: self.state(task) in states, f"{task} {' or '.join(states)}, is {self.state(task)}")
        return self.store.tasks.get(task)

    def until_told(self, kind: str, task: str = "", text: str = "") -> JournalEntry:
        """Wait for an entry of the journal; the newest that fits."""

        def fitting() -> list[JournalEntry]:
            return [
                entry
                for entry in self.told.copy()
                if entry.kind == kind and (not task or entry.task == task) and text in entry.message
            ]

        self.until(fitting, f"{kind} {task} {text}")
        return fitting()[-1]

    def until_idle(self) -> None:
        """Wait until nothing is queued or rendered."""
        self.until(lambda: not (counts := self.store.queue.counts())["queued"] and not counts["rendering"], "idle")

    def host_is_idle(self) -> bool:
        """Whether the engine's thread renders nothing at this moment."""
        return not self.host.is_rendering

    def state(self, task: str) -> State | None:
        try:
            return self.store.tasks.get(task).state
        except UnknownTask:
            return None

    def states(self) -> dict[str, State]:
        return {row.id: row.state for row in self.store.queue.page(limit=100_000)}

    def ask(self, verb: str, **arguments: object) -> Command:
        """Steer as a viewer does, and wait for the answer."""
        command = self.store.commands.wait(self.store.commands.post(verb, arguments), seconds=DEADLINE)
        assert command is not None, f"{verb} was not answered"
        return command

    def finals(self, task: str) -> list[Path]:
        """The finished files of all runs of a task, oldest first."""
        return sorted((self.places.output / task).glob("*/*.wav"))

    def kinds(self, task: str) -> list[str]:
        """What was told of a task so far, in order."""
        return [entry.kind for entry in self.told.copy() if entry.task == task]


@contextmanager
def serving(
    places: Places,
    make: Callable[[ModelName], Engine] | Engine | None = None,
    *,
    options: HostOptions | None = None,
    overrides: Mapping[str, str] | None = None,
    kept: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """A host that has taken in what is there already. `make` gives the engine of a model; one engine serves all."""
    engine = make or FakeEngine()
    engines = FakeEngines(places, engine if callable(engine) else lambda model: engine)
    told: list[JournalEntry] = []
    host = Host(engines, options=options or HostOptions(), overrides=overrides or {}, kept=kept, journal=told.append)
    host.start()
    try:
        assert host.wait_until_taken_in(DEADLINE)
        with attach_store(store_path(places)) as store:
            yield Served(places, host, store, engines, told)
    finally:
        host.stop()
