"""What the renderer tells while it works, as frozen facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cbtui.core.events import Event
from cbtui.core.task import Task


@dataclass(frozen=True, slots=True)
class RunStarted:
    """`chunks` in all, of which `ready` have their take already."""

    task: Task
    run: str
    chunks: int
    ready: int


@dataclass(frozen=True, slots=True)
class TakeFinished:
    """A take was rendered and is on disk, for `chunks` that have the same text. Seconds: of speech, and of work."""

    task: Task
    index: int
    chunks: int
    speech_seconds: float
    work_seconds: float
    tokens: int


@dataclass(frozen=True, slots=True)
class TakesFound:
    """Takes of a run under way, for so many `chunks`, were made by another run and are copied."""

    task: Task
    chunks: int


Report = Event | RunStarted | TakeFinished | TakesFound
ReportSink = Callable[[Report], None]
