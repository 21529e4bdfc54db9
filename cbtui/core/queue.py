"""Tasks as the queue holds them, and what is asked and told of them, as frozen facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cbtui.core.problem import Problem
from cbtui.core.stamp import Stamp
from cbtui.core.status import Result, State

Sort = Literal["queue", "name", "state", "newest"]
CommandState = Literal["waiting", "done", "refused"]


@dataclass(frozen=True, slots=True)
class FoundTask:
    """A task as its file has it. `digest` names its text and settings; with `problems` the file is invalid.

    `model` and `voice` name what it needs loaded, `characters` how much text it has. `surroundings` names the settings
    files that it was read with, `inputs` are the other files, with the stamp of each, None where there was none.
    `finished` is the result of a rendering of this very digest that is there already. A task that the host is through
    with and that has the digest `kept` is left as it is; empty where none is to be.
    """

    id: str
    source: Path
    stamp: Stamp
    digest: str
    priority: int = 0
    problems: tuple[Problem, ...] = ()
    model: str = ""
    voice: str = ""
    characters: int = 0
    surroundings: str = ""
    inputs: tuple[tuple[Path, Stamp | None], ...] = ()
    finished: Result | None = None
    kept: str = ""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the queue knows of a task file: the task it is, and all that it was read from."""

    task: str
    state: State
    stamp: Stamp
    surroundings: str
    inputs: tuple[tuple[Path, Stamp | None], ...]


@dataclass(frozen=True, slots=True)
class Put:
    """What a look at the files changed, as task ids. `rendering`: edited while they are being rendered."""

    added: tuple[str, ...]
    edited: tuple[str, ...]
    rendering: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rendering has come. `tokens` counts speech tokens."""

    chunks_done: int = 0
    chunks_total: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in the queue, whose order is: greatest `priority` first, then least `position`, then least `number`.

    `attempts` are renderings that did not come to a good end, `deaths` those in a row that took the host with them and
    finished nothing. `reason` says why the task stands where it stands. Times are Unix times in seconds. `changed`
    grows with every change of any task. `overtaken` counts the tasks behind this one that went before it. `fresh`: the
    person wants a new run.
    """

    number: int
    id: str
    source: Path
    stamp: Stamp
    digest: str
    priority: int
    position: int
    state: State
    reason: str
    problems: tuple[Problem, ...]
    attempts: int
    deaths: int
    progress: Progress
    result: Result | None
    added: float
    started: float | None
    finished: float | None
    changed: int
    model: str
    voice: str
    characters: int
    overtaken: int
    fresh: bool

    @property
    def job(self) -> str:
        return self.id.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tasks to show: of these states (none means all), of jobs that fit a glob, with these words in their id."""

    states: tuple[State, ...] = ()
    job_glob: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after a number. Ask again from `upto`, at once if there is `more`.

    `reload` means that the number is too old, or of another store: read everything anew, then go on from `upto`.
    """

    tasks: tuple[TaskRow, ...]
    removed: tuple[str, ...]
    upto: int
    more: bool = False
    reload: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """What a viewer asks of the host. `answer` is for the person who asked."""

    number: int
    verb: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    state: CommandState = "waiting"
    answer: str = ""
    posted: float = 0.0
