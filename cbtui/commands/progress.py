"""Progress on stderr: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass

from cbtui.console import Console
from cbtui.core.durations import format_seconds, format_speed
from cbtui.core.events import CacheEvent, ChunkProgressed, Noticed
from cbtui.engine.cache_log import CacheLog
from cbtui.host.rendering.pace import TokenPace
from cbtui.host.rendering.reports import Report, RunStarted, TakeFinished, TakesFound

_BAR = 20
_REDRAW_SECONDS = 0.1


@dataclass(slots=True)
class _Pace:
    """Sums over all that was rendered in this call."""

    takes: int = 0
    speech: float = 0.0
    work: float = 0.0
    tokens: int = 0


@dataclass(slots=True)
class _Chunks:
    """Of one run."""

    done: int
    total: int


class Progress:
    """Listens to the renderer: shows what it says, and keeps the cache look-ups in the log."""

    def __init__(self, console: Console, log: CacheLog) -> None:
        self._console = console
        self._log = log
        self._live = console.err.isatty() and os.environ.get("TERM") != "dumb"
        self._columns = os.get_terminal_size(console.err.fileno()).columns if self._live else 0
        # By task, since last there was none in work.
        self._runs: dict[str, _Chunks] = {}
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
        elif isinstance(report, TakesFound):
            self._runs[report.task.id].done += report.chunks
            self._draw(now=True)
        else:
            self._finish_take(report)

    def tell(self, line: str) -> None:
        """A line of its own, above the live one."""
        self.erase()
        self._console.tell(line)

    def settle(self, task: str) -> None:
        """Nothing more comes of this task."""
        self.erase()
        if run := self._runs.get(task):
            run.done = run.total

    def _start(self, run: RunStarted) -> None:
        if not self._in_work():
            self._runs.clear()
        self._runs[run.task.id] = _Chunks(run.ready, run.chunks)
        self._drawing.restart()
        ready = f", {run.ready} ready" if run.ready else ""
        chunks = "1 chunk" if run.chunks == 1 else f"{run.chunks} chunks"
        self.tell(f"Rendering {run.task.id}: {chunks}{ready}")

    def _finish_take(self, take: TakeFinished) -> None:
        several = self._in_work() > 1
        run = self._runs[take.task.id]
        run.done += take.chunks
        self._pace.takes += 1
        self._pace.speech += take.speech_seconds
        self._pace.work += take.work_seconds
        self._pace.tokens += take.tokens
        self._drawing.restart()
        if self._live:
            self._draw(now=True)
        else:
            name = f"{take.task.id}: " if several else ""
            self._console.tell(f"  {name}{self._status(run)}")

    def _in_work(self) -> int:
        return sum(run.done < run.total for run in self._runs.values())

    def _sum(self) -> _Chunks:
        runs = self._runs.values()
        return _Chunks(sum(run.done for run in runs), sum(run.total for run in runs))

    def _status(self, chunks: _Chunks) -> str:
        parts = [f"{chunks.done}/{chunks.total} chunks"]
        drawing = self._drawing.per_second()
        if drawing:
            parts.append(f"{drawing:.0f} tokens/s")
        elif self._pace.tokens and self._pace.work:
            parts.append(f"{self._pace.tokens / self._pace.work:.0f} tokens/s")
        if self._pace.speech and self._pace.work:
            parts.append(f"{format_speed(self._pace.speech, self._pace.work)} real time")
        left = self._seconds_left()
        if left is not None:
            parts.append(f"{format_seconds(left)} left")
        return ", ".join(parts)

    def _seconds_left(self) -> float | None:
        chunks = self._sum()
        if not self._pace.takes or chunks.done == chunks.total:
            return None
        return (chunks.total - chunks.done) * self._pace.work / self._pace.takes

    def _draw(self, *, now: bool = False) -> None:
        if not self._live or not self._runs:
            return
        moment = time.monotonic()
        if not now and moment - self._drawn_at < _REDRAW_SECONDS:
            return
        self._drawn_at = moment
        chunks = self._sum()
        filled = _BAR * chunks.done // max(1, chunks.total)
        line = f"[{'#' * filled}{'-' * (_BAR - filled)}] {self._status(chunks)}"[: self._columns - 1]
        if line != self._line:
            self._line = line
            self._console.draw(f"\r{line}\x1b[K")

    def erase(self) -> None:
        """Take the live line off the terminal; the next report draws it again."""
        if self._line:
            self._line = ""
            self._console.draw("\r\x1b[K")
