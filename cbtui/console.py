"""The terminal, kept for what cbtui itself says: all that libraries write goes to the log."""

from __future__ import annotations

import contextlib
import fcntl
import io
import logging
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from cbtui.core.clean import visible

if TYPE_CHECKING:
    from cbtui.settings import Notify

_MAX_LOG_BYTES = 5 * 1024 * 1024
_LOGS_KEPT = 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@dataclass(frozen=True, slots=True)
class Console:
    """`out` is for results, `err` for progress and problems."""

    out: TextIO
    err: TextIO

    def result(self, line: str) -> None:
        """A line of the result. Raises BrokenPipeError when nobody reads it."""
        self.out.write(line + "\n")
        self.out.flush()

    def tell(self, line: str) -> None:
        self.draw(line + "\n")

    def draw(self, text: str) -> None:
        """Progress; that nobody reads it is no reason to stop working."""
        with contextlib.suppress(OSError):
            self.err.write(text)
            self.err.flush()


def claim_terminal(log: Path, *, level: str = "info") -> Console:
    """Keep stdout and stderr for the caller and turn the descriptors themselves to `log`. Raises OSError.

    C libraries, child processes and progress bars write to descriptors 1 and 2, whatever `sys.stdout` is.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    _rotate(log)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as it is when the caller closed it
            stream.flush()
    out, err = (_duplicate(descriptor) for descriptor in (1, 2))
    _point_descriptors_at(log)
    logging.basicConfig(level=level.upper(), format=_FORMAT, stream=_text(2, closefd=False))
    logging.captureWarnings(capture=True)
    console = Console(out, err)
    sys.excepthook = partial(_confess, console, log)
    return console


def notice(notify: Notify, kind: str, task: str) -> str:
    """What a terminal is sent where something deserves a look; `kind` is that of the journal's entry."""
    if notify == "off":
        return ""
    text = visible(f"cbtui: {task} {kind}" if task else "cbtui: nothing is left to render")
    return "\a" if notify == "bell" else f"\x1b]9;{text}\a"


def keep_log_small(log: Path) -> None:
    """Begin a new log where this one has grown large or was moved away; the descriptors follow. Raises OSError."""
    if _rotate(log) or not _is_the_log(log):
        _point_descriptors_at(log)


def plain_console() -> Console:
    """The standard streams as they are, for commands that start no engine."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return Console(sys.stdout or _nowhere(), sys.stderr or _nowhere())


def _rotate(log: Path) -> bool:
    """Whether the log was large, and is `.1` now; what was `.1` is `.2`, and so on."""
    if not log.exists() or log.stat().st_size <= _MAX_LOG_BYTES:
        return False
    for number in range(_LOGS_KEPT, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        newer = log.with_name(f"{log.name}.{number - 1}") if number > 1 else log
        if newer.exists():
            newer.replace(older)
    return True


def _is_the_log(log: Path) -> bool:
    try:
        return os.path.samestat(log.stat(), os.fstat(2))
    except FileNotFoundError:
        return False


def _point_descriptors_at(log: Path) -> None:
    opened = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    # Where the caller closed descriptor 1 or 2, the file just opened may have become it.
    high = fcntl.fcntl(opened, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(opened)
    os.dup2(high, 1)
    os.dup2(high, 2)
    os.close(high)
    if sys.stdout is None or sys.stderr is None:
        sys.stdout, sys.stderr = _text(1, closefd=False), _text(2, closefd=False)


def _duplicate(descriptor: int) -> TextIO:
    try:
        return _text(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3))
    except OSError:  # the caller closed it
        return _nowhere()


def _text(descriptor: int, *, closefd: bool = True) -> TextIO:
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", closefd=closefd)


def _nowhere() -> TextIO:
    return _text(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC))


def _confess(
    console: Console, log: Path, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An error of our own: one line for the person, the whole for the log."""
    logging.getLogger("cbtui").critical("unexpected error", exc_info=(kind, error, trace))
    console.tell(
        f"cbtui: unexpected error: {kind.__name__}: {error}. Finished chunks are kept. The log has more: {log}"
    )
