"""In a terminal the progress is one line, redrawn in place, and nothing of it is left at the end."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import termios
import time
from dataclasses import replace

import pytest

from cbtui.engine.espeak import EspeakEngine
from tests.e2e.home import SECONDS, Home, paragraphs

CHUNKS = 10


class Screen:
    """What a terminal of `columns` shows, for output of plain text, `\\r`, `\\n` and `ESC [ K`."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._rows: list[list[str]] = [[]]
        self._at = 0
        self.most_bars = 0

    def show(self, text: str) -> None:
        position = 0
        while position < len(text):
            if text.startswith("\x1b[K", position):
                del self._rows[-1][self._at :]
                position += 3
                self._count_bars()
                continue
            self._put(text[position])
            position += 1

    def _put(self, character: str) -> None:
        if character == "\r":
            self._at = 0
        elif character == "\n":
            self._count_bars()
            self._rows.append([])
        else:
            if self._at == self._columns:
                self._rows.append([])
                self._at = 0
            row = self._rows[-1]
            row.extend(" " * (self._at + 1 - len(row)))
            row[self._at] = character
            self._at += 1

    def _count_bars(self) -> None:
        self.most_bars = max(self.most_bars, sum(line.startswith("[") for line in self.lines))

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self._rows]


def _in_a_terminal(home: Home, columns: int, *, stop_at: str = "", stop_with: int = 0) -> tuple[int, str]:
    """`run` with all its streams on a terminal: its status, and all that it wrote."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {name: value for name, value in home.variables().items() if name not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        home.command("run", "--engine", "espeak"),
        cwd=home.root,
        env={"TERM": "xterm-256color", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = ""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the last holder of the other end has gone
            break
        if not part:
            break
        written += part.decode()
        if stop_at and stop_at in written:
            process.send_signal(stop_with)
            stop_at = ""
    os.close(ours)
    return process.wait(SECONDS), written


@pytest.mark.parametrize("columns", [100, 40])
def test_the_progress_line_is_redrawn_in_place(home: Home, columns: int) -> None:
    home.write("a.yaml", paragraphs(CHUNKS))
    home.write("b.yaml", "text: Another one.")
    status, written = _in_a_terminal(home, columns)
    screen = Screen(columns)
    screen.show(written)
    assert status == 0
    assert written.count("\r[") >= CHUNKS
    # The second task begins beside the last chunk of the first, where the engine has room for two.
    in_work = CHUNKS + 1 if EspeakEngine().batch > 1 else CHUNKS
    assert f"{in_work}/{in_work} chunks" in written
    assert screen.most_bars == 1
    assert not any(line.startswith("[") or "real-time" in line for line in screen.lines)
    shown = "".join(screen.lines)
    assert all(f"done     jobs/{name}" in shown for name in "ab")


def test_a_stopped_run_leaves_a_tidy_screen(home: Home) -> None:
    home.write("a.yaml", paragraphs(40))
    status, written = _in_a_terminal(home, 100, stop_at=" 3/40 chunks", stop_with=signal.SIGINT)
    screen = Screen(100)
    screen.show(written)
    assert status == 130
    assert not any(line.startswith("[") for line in screen.lines)
    assert screen.lines[-2].startswith("Stopped. What is rendered is kept")
    assert screen.lines[-1] == ""


def test_a_dumb_terminal_gets_plain_lines(home: Home) -> None:
    home.write("a.yaml", paragraphs(3))
    status, written = _in_a_terminal(replace(home, environment={"TERM": "dumb"}), 80)
    assert status == 0
    assert "\x1b" not in written
    assert "3/3 chunks" in written
