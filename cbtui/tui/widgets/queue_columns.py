"""What a line of the queue says, and in which columns: the narrower the screen, the fewer columns and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cbtui.core.durations import format_speed
from cbtui.core.queue import TaskRow
from cbtui.host.estimates import Pace, task_seconds
from cbtui.tui.words import Words, first_that_fits, fit, seconds_left

# The cursor, the mark, the sign of the state, and a blank.
BEFORE = 4
_NAME_LEAST = 16
_NAME_ENOUGH = 24


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0 leaves a column out."""

    state: int
    name: int
    model: int
    bar: int
    what: int
    left: int

    def headings(self) -> str:
        """What stands above the columns that follow `BEFORE` cells."""
        names = (
            ("state", self.state),
            ("task", self.name),
            ("model", self.model),
            ("progress", self.bar),
            ("", self.what),
        )
        cells = [f"{fit(name, width)} " for name, width in names if width]
        return f"{''.join(cells)}{'left':>{self.left}} "


def columns_for(width: int) -> Columns:
    """What fits."""
    state = 11 if width >= 72 else 0
    model = 14 if width >= 110 else 0
    bar = 20 if width >= 140 else 10 if width >= 50 else 0
    what = 26 if width >= 150 else 14 if width >= 90 else 8 if width >= 50 else 0
    left = 6
    fixed = 5 + sum(part + 1 for part in (state, model, bar, what, left) if part)
    name = max(_NAME_LEAST, width - fixed)
    if what and name > _NAME_ENOUGH:
        # Names are rarely longer; reasons are.
        what += (name - _NAME_ENOUGH) // 2
        name -= (name - _NAME_ENOUGH) // 2
    return Columns(state, name, model, bar, what, left)


def bar_of(row: TaskRow, words: Words, width: int) -> str:
    """Nothing for a task that is not begun, or ended: its words have that room too."""
    progress = row.progress
    if row.state == "rendering" or (row.state in {"queued", "paused", "blocked"} and progress.chunks_total):
        return words.bar(progress.chunks_done, progress.chunks_total, width)
    return ""


def left_of(row: TaskRow, pace: Pace) -> str:
    """How long the task still takes."""
    seconds = task_seconds(row, pace) if row.state in {"queued", "rendering"} else None
    return "" if seconds is None else seconds_left(seconds)


def what_of(row: TaskRow, width: int, in_keys: Callable[[str], str] = str) -> str:
    """How far it is, what came of it and how fast, or why it stands where it stands, in about so many cells.

    `in_keys` has keys for what a reason advises.
    """
    if row.state == "rendering":
        return first_that_fits(_under_way(row), width)
    if row.state == "done" and row.result is not None:
        return first_that_fits(_finished(row), width)
    if row.problems:
        return row.problems[0].message
    return in_keys(row.reason)


def _under_way(row: TaskRow) -> list[str]:
    progress = row.progress
    if not progress.chunks_total:
        return ["preparing"]
    chunks = f"{progress.chunks_done}/{progress.chunks_total}"
    # Drafts count no tokens.
    tokens = [f"{chunks} chunks, {progress.tokens} tokens"] if progress.tokens else []
    return [*tokens, f"{chunks} chunks", chunks]


def _finished(row: TaskRow) -> list[str]:
    result = row.result
    assert result is not None
    if not (result.speech_seconds and result.work_seconds and result.rendered):
        return ["up to date"]
    speech = seconds_left(result.speech_seconds)
    times = format_speed(result.speech_seconds, result.work_seconds)
    return [f"{speech} of speech, {times} real time", f"{speech} at {times} real time", f"{speech} at {times}", speech]
