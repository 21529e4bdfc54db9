"""A program in a terminal of its own, timed from outside: from a key, or from its start, to what it then sends."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_COLUMNS, _LINES = 120, 35
_DEADLINE = 60.0


class PtyApp:
    """Reads what the program sends whenever it is waited for; ends the program with the block."""

    def __init__(self, command: list[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _LINES, _COLUMNS, 0, 0))
        self.received = 0
        self._tail = b""
        self._started = time.perf_counter()
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    @property
    def resident_bytes(self) -> int:
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def wait_for(self, mark: bytes) -> float:
        """Seconds from the program's start to this in what it sends. Raises TimeoutError."""
        self._until(mark)
        return time.perf_counter() - self._started

    def answer_to(self, key: bytes, mark: bytes) -> float:
        """Seconds from a key to this in what is sent after it. Raises TimeoutError."""
        self._tail = b""
        pressed = time.perf_counter()
        os.write(self._master, key)
        self._until(mark)
        return time.perf_counter() - pressed

    def read(self, seconds: float) -> None:
        """Take in what is sent in this time."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._take(left)

    def _until(self, mark: bytes) -> None:
        end = time.perf_counter() + _DEADLINE
        while mark not in self._tail:
            if time.perf_counter() > end or self._process.poll() is not None:
                raise TimeoutError(f"{mark!r} was not sent; the last was {self._tail[-300:]!r}")
            self._take(0.05)

    def _take(self, seconds: float) -> None:
        if select.select([self._master], [], [], seconds)[0]:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:
                # The program has ended.
                time.sleep(seconds)
                return
            self.received += len(data)
            self._tail = (self._tail + data)[-(1 << 17) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            end = time.perf_counter() + _DEADLINE
            while self._process.poll() is None and time.perf_counter() < end:
                self._take(0.05)
        self._process.kill()
        self._process.wait()
        os.close(self._master)
