"""A real terminal for the real program: a pty, whose screen pyte draws and whose raw bytes are kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

DEADLINE = 30.0  # seconds


class Terminal:
    """Runs a command; `raw` is all that it sent so far, `attributes` are those of the line before it ran."""

    def __init__(
        self,
        command: list[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        size: tuple[int, int] = (120, 35),
    ) -> None:
        self.columns, self.lines = size
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0))
        self.attributes = termios.tcgetattr(slave)
        # Its size is the pty's, and not what stands in the environment of who runs the tests.
        own = {name: value for name, value in environment.items() if name not in {"COLUMNS", "LINES"}}
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**own, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - the tests have no other way
        )
        self._slave = slave

    @property
    def text(self) -> str:
        """What stands on the screen."""
        self._read(0)
        return "\n".join(self._screen.display)

    def press(self, keys: str) -> None:
        """Type; escape sequences as a terminal sends them."""
        os.write(self.master, keys.encode())

    def until(self, is_met: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + DEADLINE
        while not is_met():
            assert time.monotonic() < end, f"{what} did not come; the screen is:\n{self.text}"
            self._read(0.02)

    def until_shown(self, *texts: str) -> None:
        self.until(lambda: all(text in self.text for text in texts), " and ".join(texts))

    def until_ended(self) -> int:
        """The exit status."""
        self.until(lambda: self.process.poll() is not None, "the end")
        self._read(0)
        return self.process.returncode

    def is_restored(self) -> bool:
        """Whether the line is as it was, and the other screen is left."""
        return termios.tcgetattr(self._slave) == self.attributes and b"\x1b[?1049l" in self.raw

    def hang_up(self) -> None:
        """The window is closed, or the SSH line is lost."""
        os.close(self._slave)
        os.close(self.master)
        self.master = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.master >= 0:
            self.hang_up()

    def _read(self, seconds: float) -> None:
        if self.master < 0:
            time.sleep(seconds)
            return
        while select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                return
            self.raw += data
            self._stream.feed(data)
            seconds = 0
