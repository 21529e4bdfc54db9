"""Where a task stands, which steps it may take, and what came of it: status and result are two things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["queued", "rendering", "done", "failed", "paused", "cancelled", "invalid", "blocked", "quarantined"]

STATES: tuple[State, ...] = (
    "queued",
    "rendering",
    "done",
    "failed",
    "paused",
    "cancelled",
    "invalid",
    "blocked",
    "quarantined",
)

# Tasks that have a place in the queue and are still to be rendered.
WAITING: tuple[State, ...] = ("queued", "paused", "blocked")
# Tasks with which the host is through until a person retries them or edits their file.
SETTLED: tuple[State, ...] = ("done", "failed", "cancelled", "quarantined")

# A task that took the host down this often is not tried again on its own.
MAX_HOST_DEATHS = 3

LEGAL_TRANSITIONS: Mapping[State, frozenset[State]] = {
    "queued": frozenset({"rendering", "paused", "cancelled", "invalid", "blocked"}),
    "rendering": frozenset({"done", "failed", "queued", "quarantined", "cancelled", "blocked"}),
    "paused": frozenset({"queued", "cancelled", "invalid"}),
    "blocked": frozenset({"queued", "cancelled", "invalid"}),
    "invalid": frozenset({"queued"}),
    "done": frozenset({"queued"}),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
    "quarantined": frozenset({"queued"}),
}


class IllegalTransition(Exception):
    """A step that no task may take."""

    def __init__(self, before: State, after: State) -> None:
        super().__init__(f"a task that is {before} cannot become {after}")
        self.before = before
        self.after = after


def check_transition(before: State, after: State) -> None:
    """Raises IllegalTransition for a step that is not in the table; standing still is no step."""
    if after not in LEGAL_TRANSITIONS[before]:
        raise IllegalTransition(before, after)


def after_host_death(deaths: int) -> State:
    """What becomes of a task that was being rendered when its host died for the `deaths`-th time."""
    return "quarantined" if deaths >= MAX_HOST_DEATHS else "queued"


def after_edit(before: State, *, valid: bool) -> State:
    """Where an edited file puts its task: a pause and a block outlast a mended file, a rendering goes on."""
    if before == "rendering":
        return before
    if not valid:
        return "invalid"
    return before if before in WAITING else "queued"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a rendering. `output` is the finished file, of one that has it; `reason` says why one has none.

    `rendered` chunks were made by the engine, `reused` were there. `draft`: not the model's voice.
    """

    run: str = ""
    output: Path | None = None
    speech_seconds: float = 0.0
    work_seconds: float = 0.0
    rendered: int = 0
    reused: int = 0
    draft: bool = False
    reason: str = ""
