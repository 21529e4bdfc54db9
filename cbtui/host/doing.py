"""What the engine's thread is busy with before it can render: `loading english, 12 s`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cbtui.core.events import CacheEvent, ChunkProgressed, Noticed
from cbtui.host.rendering.reports import Report, RunStarted, TakeFinished


@dataclass(frozen=True, slots=True)
class _Step:
    what: str
    since: float

    @property
    def name(self) -> str:
        """Without how far it has come."""
        return self.what.partition(":")[0]


class Doing:
    """Listens to the engine's thread, and may be asked by any other. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._step: _Step | None = None

    def begin(self, what: str) -> None:
        """This is what it does from now on, or how far it has come with it."""
        before = self._step
        step = _Step(what, self._clock())
        self._step = _Step(what, before.since) if before is not None and before.name == step.name else step

    def end(self) -> None:
        self._step = None

    def hear(self, report: Report) -> None:
        match report:
            case Noticed(doing=str(doing)) if doing:
                self.begin(doing)
            case CacheEvent(layer="model") | RunStarted() | ChunkProgressed() | TakeFinished():
                self.end()

    def __str__(self) -> str:
        """Empty where it does nothing of the kind."""
        step = self._step
        return f"{step.what}, {self._clock() - step.since:.0f} s" if step is not None else ""
