"""The terminal, kept for what cbtui itself says: all that libraries write goes to the log."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TextIO

_MAX_LOG_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Console:
    """`out` is for results, `err` for progress and problems."""

    out: TextIO
    err: TextIO

    def result(self, line: str) -> None:
        self.out.write(line + "\n")
        self.out.flush()

    def tell(self, line: str) -> None:
        self.err.write(line + "\n")
        self.err.flush()


def claim_terminal(log: Path, *, level: str = "info") -> Console:
    """Keep stdout and stderr for the caller and turn the descriptors themselves to `log`. Raises OSError.

    C libraries, child processes and progress bars write to descriptors 1 and 2, whatever `sys.stdout` is.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    sys.stdout.flush()
    sys.stderr.flush()
    out, err = (_duplicate(descriptor) for descriptor in (1, 2))
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.captureWarnings(capture=True)
    console = Console(out, err)
    sys.excepthook = partial(_confess, console, log)
    return console


def _confess(
    console: Console, log: Path, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An error of our own: one line for the person, the whole for the log."""
    logging.getLogger("cbtui").critical("unexpected error", exc_info=(kind, error, trace))
    console.tell(
        f"cbtui: unexpected error: {kind.__name__}: {error}. Finished chunks are kept. The log has more: {log}"
    )


def plain_console() -> Console:
    """The standard streams as they are, for commands that start no engine."""
    return Console(sys.stdout, sys.stderr)


def _duplicate(descriptor: int) -> TextIO:
    return os.fdopen(os.dup(descriptor), "w", encoding="utf-8", errors="replace")
