"""Lines that a screen shows of other files: where a task file has its mistake, and what the log says of a task."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.queue import TaskRow
from cbtui.jobs.safe_open import TEXT_LIMIT, read_text
from cbtui.tui.opened import Excerpt

LOG_BYTES = 1 << 20
_AROUND = 3  # lines on either side
# As the console writes them: date, time, level, logger, words.
_LINE = re.compile(r"\d{4}-(\d\d-\d\d) (\d\d:\d\d:\d\d)\S* (?:INFO|([A-Z]+)) [\w.]+: (.*)")


def read_excerpt(row: TaskRow) -> Excerpt | None:
    """The lines around the first problem that has a place; None where none has, or the file cannot be read any more."""
    problem = next((each for each in row.problems if each.line is not None), None)
    path = _file_of(problem, row) if problem else None
    if problem is None or problem.line is None or path is None:
        return None
    try:
        lines = read_text(path, limit=TEXT_LIMIT).split("\n")
    except InvalidFile:
        return None
    first, last = max(1, problem.line - _AROUND), min(len(lines), problem.line + _AROUND)
    shown = tuple((number, lines[number - 1]) for number in range(first, last + 1))
    return Excerpt(path, shown, problem.line, problem.column) if shown else None


def _file_of(problem: Problem, row: TaskRow) -> Path | None:
    """The file that a problem is in: its path is as the host knows it, whose working directory may be another."""
    if "\0" in problem.path:
        return None
    # An absolute path stays as it is.
    candidates = (folder / problem.path for folder in row.source.parents)
    return next((path for path in candidates if path.is_file()), None)


def read_log_of(task: str, log: Path) -> tuple[str, ...]:
    """What the host's journal tells of a task, oldest first, from the last `LOG_BYTES` of the log.

    Each line has its time, its level if it is of note, and its words without the name of the task.
    """
    text = _tail(log, LOG_BYTES)
    # Just begun: what was told a moment ago stands in the one before.
    if len(text) < LOG_BYTES:
        text = _tail(log.with_name(f"{log.name}.1"), LOG_BYTES - len(text)) + text
    lines = text.decode("utf-8", "replace").split("\n")
    return tuple(_short(line, task) for line in lines if f"  {task}  " in f"{line}  ")


def _short(line: str, task: str) -> str:
    parts = _LINE.fullmatch(line)
    if parts is None:
        return line
    words = f"{parts[4]}  ".replace(f"  {task}  ", "  ", 1).rstrip()
    return " ".join(part for part in (parts[1], parts[2], parts[3], words) if part)


def _tail(path: Path, limit: int) -> bytes:
    """The last whole lines of a file, at most `limit` bytes; nothing of one that cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            data = file.read(limit)
        except OSError:
            return b""
    return data if size <= limit else data.partition(b"\n")[2]
