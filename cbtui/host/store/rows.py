"""What the store takes and gives, as frozen facts."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cbtui.core.problem import Problem
from cbtui.core.stamp import Stamp
from cbtui.core.status import Result, State
from cbtui.host.store.values import finite, path_from_bytes, path_to_bytes, problems_from_json, storable, whole

CommandState = Literal["waiting", "done", "refused"]


@dataclass(frozen=True, slots=True)
class FoundTask:
    """A task as its file has it. `digest` names its text and settings; with `problems` the file is invalid.

    `model` and `voice` name what it needs loaded, `characters` how much text it has. `surroundings` names the settings
    files that it was read with, `inputs` are the other files, with the stamp of each, None where there was none.
    `finished` is the result of a rendering of this very digest that is there already.
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
    """Which tasks to show: of these states (none means all), of jobs that fit a glob, with this text in their id."""

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


def read_task(row: sqlite3.Row) -> TaskRow:
    """A row of the table `tasks` as a TaskRow."""
    return TaskRow(
        number=row["number"],
        id=row["id"],
        source=path_from_bytes(row["source"]),
        stamp=Stamp.parse(row["stamp"]),
        digest=row["digest"],
        priority=row["priority"],
        position=row["position"],
        state=row["state"],
        reason=row["reason"],
        problems=problems_from_json(row["problems"]),
        attempts=row["attempts"],
        deaths=row["deaths"],
        progress=Progress(row["chunks_done"], row["chunks_total"], row["tokens"]),
        result=_read_result(row) if row["run"] is not None else None,
        added=row["added"],
        started=row["started"],
        finished=row["finished"],
        changed=row["changed"],
        model=row["model"],
        voice=row["voice"],
        characters=row["characters"],
        overtaken=row["overtaken"],
        fresh=bool(row["fresh"]),
    )


def _read_result(row: sqlite3.Row) -> Result:
    return Result(
        run=row["run"],
        output=path_from_bytes(row["output"]) if row["output"] is not None else None,
        speech_seconds=row["speech_seconds"],
        work_seconds=row["work_seconds"],
        rendered=row["rendered"],
        reused=row["reused"],
        draft=bool(row["draft"]),
        reason=row["result_reason"],
    )


def result_facts(result: Result) -> dict[str, Any]:
    """The columns of the table `tasks` that hold a result."""
    return {
        "run": storable(result.run),
        "output": path_to_bytes(result.output) if result.output else None,
        "speech_seconds": finite(result.speech_seconds),
        "work_seconds": finite(result.work_seconds),
        "rendered": whole(result.rendered),
        "reused": whole(result.reused),
        "draft": int(result.draft),
        "result_reason": storable(result.reason),
    }
