"""What became of one run of a task, or of a task that did not get as far as a run."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cbtui.core.task import Task
from cbtui.host.rendering.runs import Run

Outcome = Literal["done", "skipped", "failed", "stopped", "unavailable"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """`reason` says why one failed.

    `rendered` takes were made by the engine, `reused` were there or copied. `unavailable`: its engine is. `no_room`: it
    failed because the disk that holds this path is full. `work_seconds` is its share of the time that passed.
    """

    task: Task
    run: Run | None
    outcome: Outcome
    reason: str = ""
    rendered: int = 0
    reused: int = 0
    speech_seconds: float = 0.0
    work_seconds: float = 0.0
    draft: bool = False
    no_room: Path | None = None

    @property
    def final(self) -> Path | None:
        """The finished file, of a run that has one."""
        return self.run.final if self.run and self.outcome in {"done", "skipped"} else None


def full_disk(error: OSError) -> Path | None:
    """Where there is no room, for an error that says so."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT} or not isinstance(error.filename, str):
        return None
    return Path(error.filename)


def unexpected(error: BaseException) -> str:
    return f"unexpected error: {error!r}. The log has more."


def explain(error: OSError) -> str:
    return str(error) if error.filename is None else f"{error.filename}: {error.strerror}"
