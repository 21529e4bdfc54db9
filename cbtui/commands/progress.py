"""Progress on stderr: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass

from cbtui.console import Console
from cbtui.core.durations import format_seconds
from cbtui.core.events import CacheEvent, ChunkProgressed, Noticed
from cbtui.engine.cache_log import CacheLog
from cbtui.host.rendering.pace import TokenPace
from cbtui.host.rendering.reports import Report, RunStarted, TakeFinished

_BAR = 20
_REDRAW_SECONDS = 0.1


@dataclass(slots=True)
class _Pace:
    """Sums over all that was rendered in this call."""

    takes: int = 0
    speech: float = 0.0
    work: float = 0.0
    tokens: int = 0


class Progress:
    """Listens to the renderer: shows what it says, and keeps the cache look-ups in the log."""

    def __init__(self, console: Console, log: CacheLog) -> None:
        self._console = console
        self._log = log
        self._live = console.err.isatty() and os.environ.get("TERM") != "dumb"
        self._columns = os.get_terminal_size(console.err.fileno()).columns if self._live else 0
        self._run: RunStarted | None = None
        self._done = 0
        self._drawing = TokenPace()
        self._pace = _Pace()
        self._drawn_at = 0.0
        self._line = ""

    def __call__(self, report: Report) -> None:
        if isinstance(report, CacheEvent):
            # A log that cannot grow is no reason to stop working.
            with contextlib.suppress(OSError):
                self._log.append(report)
            if report.message and report.layer != "chunk":
                self.tell(report.message)
        elif isinstance(report, Noticed):
            self.tell(report.message if report.level == "info" else f"warning: {report.message}")
        elif isinstance(report, RunStarted):
            self._start(report)
        elif isinstance(report, ChunkProgressed):
            self._drawing.count(report)
            self._draw()
        else:
            self._finish_take(report)

    def tell(self, line: str) -> None:
        """A line of its own, above the live one."""
        self.erase()
        self._console.tell(line)

    def _start(self, run: RunStarted) -> None:
        self._run = run
        self._done = run.ready
        self._drawing.restart()
        ready = f", {run.ready} ready" if run.ready else ""
        chunks = "1 chunk" if run.chunks == 1 else f"{run.chunks} chunks"
        self.tell(f"Rendering {run.task.id}: {chunks}{ready}")

    def _finish_take(self, take: TakeFinished) -> None:
        self._done += take.chunks
        self._pace.takes += 1
        self._pace.speech += take.speech_seconds
        self._pace.work += take.work_seconds
        self._pace.tokens += take.tokens
        self._drawing.restart()
        if self._live:
            self._draw(now=True)
        else:
            self._console.tell(f"  {self._status()}")

    def _status(self) -> str:
        assert self._run is not None
        parts = [f"{self._done}/{self._run.chunks} chunks"]
        drawing = self._drawing.per_second()
        if drawing:
            parts.append(f"{drawing:.0f} tokens/s")
        elif self._pace.tokens and self._pace.work:
            parts.append(f"{self._pace.tokens / self._pace.work:.0f} tokens/s")
        if self._pace.speech:
            parts.append(f"RTF {self._pace.work / self._pace.speech:.2f}")
        left = self._seconds_left()
        if left is not None:
            parts.append(f"{format_seconds(left)} left")
        return ", ".join(parts)

    def _seconds_left(self) -> float | None:
        assert self._run is not None
        if not self._pace.takes or self._done == self._run.chunks:
            return None
        return (self._run.chunks - self._done) * self._pace.work / self._pace.takes

    def _draw(self, *, now: bool = False) -> None:
        if not self._live or self._run is None:
            return
        moment = time.monotonic()
        if not now and moment - self._drawn_at < _REDRAW_SECONDS:
            return
        self._drawn_at = moment
        filled = _BAR * self._done // max(1, self._run.chunks)
        line = f"[{'#' * filled}{'-' * (_BAR - filled)}] {self._status()}"[: self._columns - 1]
        if line != self._line:
            self._line = line
            self._console.draw(f"\r{line}\x1b[K")

    def erase(self) -> None:
        """Take the live line off the terminal; the next report draws it again."""
        if self._line:
            self._line = ""
            self._console.draw("\r\x1b[K")
