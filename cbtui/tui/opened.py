"""What there is to know of one task beyond its row in the queue, as frozen facts that a thread reads off the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cbtui.core.status import State

if TYPE_CHECKING:
    from cbtui.audio.peaks import Peaks

ChunkState = Literal["done", "rendering", "waiting", "missing", "damaged"]

# A take stands where a task could stand, so it bears the same sign and colour.
LOOKS_LIKE: dict[ChunkState, State] = {
    "done": "done",
    "rendering": "rendering",
    "waiting": "queued",
    "missing": "failed",
    "damaged": "invalid",
}


@dataclass(frozen=True, slots=True)
class ChunkFacts:
    """A chunk of a run and its take at `path`.

    `speech_seconds` is the length of the take, `begins` where it begins in the sound so far, both None where there is
    no take; `silence` follows it, in seconds. `seconds_spent`, `tokens` and `seeds` are what its facts say.
    """

    index: int
    speaker: str
    text: str
    state: ChunkState
    path: Path
    silence: float = 0.0
    begins: float | None = None
    speech_seconds: float | None = None
    seconds_spent: float | None = None
    tokens: int | None = None
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The newest run of a task. `settings` are (what, value) in words; `finished` is its file, if that is there."""

    name: str
    folder: Path
    settings: tuple[tuple[str, str], ...]
    chunks: tuple[ChunkFacts, ...]
    finished: Path | None
    task_digest: str = ""

    def count(self, *states: ChunkState) -> int:
        return sum(chunk.state in states for chunk in self.chunks)


@dataclass(frozen=True, slots=True)
class Sound:
    """What is rendered, `of` what it is: the finished file, or the takes so far."""

    peaks: Peaks
    of: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The lines of a file around a mistake, with their numbers. `line` and `column` count from 1."""

    path: Path
    lines: tuple[tuple[int, str], ...]
    line: int
    column: int | None


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """Everything about the task of this id. `notes` say what could not be read; `log` holds its lines, newest last."""

    task: str
    run: RunFacts | None = None
    sound: Sound | None = None
    notes: tuple[str, ...] = ()
    excerpt: Excerpt | None = None
    log: tuple[str, ...] = ()
