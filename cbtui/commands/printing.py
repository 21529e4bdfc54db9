"""Lines for a reader who may be slow, stopped or gone: whoever has something to say never waits for them."""

from __future__ import annotations

import queue
import threading

from cbtui.console import Console

_MOST_LINES = 10_000


class Printer:
    """A daemon thread that writes lines to stdout in their order; what is too much for the reader is left out."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_LINES)
        self._left_out = 0
        self._thread = threading.Thread(target=self._run, name="cbtui-printer", daemon=True)
        self._thread.start()

    def print(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._left_out += 1

    def close(self, seconds: float = 0.5) -> None:
        """Write what is there, for at most so long."""
        try:
            self._lines.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._console.result(line)
                if self._left_out:
                    count, self._left_out = self._left_out, 0
                    self._console.result(f"({count} lines were left out; the log has them)")
            except OSError:
                # Nobody reads; the log has everything.
                return
