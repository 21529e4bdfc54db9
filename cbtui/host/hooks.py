"""The user's commands for what happens in the queue: started, fed, watched, and ended when they take too long."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cbtui.core.clean import shorten, visible
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.options import HookCommands

Occasion = Literal["task_done", "task_failed", "queue_empty"]

MOST_WAITING = 1000
"""How many calls may wait for their turn; beyond it the oldest are dropped."""

# What a command may take to end in good order once it is asked to.
_GRACE_SECONDS = 1.0
# How soon a command that is to end early, or has room for more input, is seen to.
_STEP_SECONDS = 0.05
_LOG = 2
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class _Call:
    """One run of a command that is due. `data` goes to its stdin."""

    occasion: Occasion
    command: tuple[str, ...]
    task: str
    data: bytes


class Hooks:
    """Runs the commands one after the other in a thread of its own. `journal` hears of those that did not succeed.

    A command is a list of words and meets no shell. It gets the facts as one JSON object on stdin and writes to the
    log; its folder is the user's home, its process group its own. Whether it reads its stdin is its own affair.
    """

    def __init__(self, commands: HookCommands, journal: Journal) -> None:
        self._commands = commands
        self._journal = journal
        self._waiting: deque[_Call] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._told_of_dropped = False
        self._closing = False
        self._ending = threading.Event()

    def run(self, occasion: Occasion, facts: Mapping[str, object]) -> None:
        """Have the command for this occasion run soon, if there is one; returns at once. After `close`, does nothing.

        The command reads `{"event": occasion, **facts}`; what JSON does not know, such as a path, it reads as text.
        """
        command: tuple[str, ...] = getattr(self._commands, occasion)
        if not command:
            return
        # In ASCII, so that also file names that are no text survive.
        data = json.dumps({"event": occasion, **facts}, default=str).encode() + b"\n"
        with self._changed:
            if self._closing:
                return
            self._waiting.append(_Call(occasion, command, str(facts.get("task", "")), data))
            tell = self._drop_oldest()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cbtui hooks", daemon=True)
                self._thread.start()
            self._changed.notify()
        if tell:
            self._warn(f"more than {MOST_WAITING} commands wait for their turn: the oldest are dropped")

    def close(self, seconds: float) -> None:
        """Wait at most so long for what is due, then end what runs and drop the rest."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is None:
            return
        self._thread.join(seconds)
        self._ending.set()
        # Not for ever: nothing ends a process that waits for a dead disk.
        self._thread.join(3 * _GRACE_SECONDS)

    def _drop_oldest(self) -> bool:
        """Keep the line short; gives whether that is to be told, once until all is worked off."""
        if len(self._waiting) <= MOST_WAITING:
            return False
        self._waiting.popleft()
        told, self._told_of_dropped = self._told_of_dropped, True
        return not told

    def _work(self) -> None:
        while (call := self._next()) is not None:
            if failure := self._execute(call):
                self._warn(failure, call)
        if dropped := len(self._waiting):
            self._warn(f"cbtui stops: {dropped} more commands that were due are not run")

    def _next(self) -> _Call | None:
        """The next call, once there is one; None when it is time to end."""
        with self._changed:
            if not self._waiting:
                self._told_of_dropped = False
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return None if self._ending.is_set() or not self._waiting else self._waiting.popleft()

    def _execute(self, call: _Call) -> str:
        """Run one command to its end; gives why it did not succeed, or nothing."""
        try:
            process = subprocess.Popen(
                call.command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=_LOG,
                stderr=_LOG,
                cwd=_home(),
                start_new_session=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return f"cannot be started: {getattr(error, 'strerror', None) or error}"
        reason = self._attend(process, call.data)
        if reason:
            return reason
        if process.returncode < 0:
            return f"was ended by {_signal_name(-process.returncode)}"
        return f"failed with status {process.returncode}; the log has its output" if process.returncode else ""

    def _attend(self, process: subprocess.Popen[bytes], data: bytes) -> str:
        """Feed a command until it ends, or end it; gives why it was ended, or nothing."""
        assert process.stdin is not None
        deadline = time.monotonic() + self._commands.seconds
        # A command that does not read must not hold up whoever writes.
        os.set_blocking(process.stdin.fileno(), False)
        rest = memoryview(data)
        with process.stdin:
            while True:
                rest = _feed(process, rest)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(_STEP_SECONDS, max(0.0, deadline - time.monotonic())))
                    return ""
                if time.monotonic() >= deadline:
                    _end(process)
                    return f"was ended because it took more than {self._commands.seconds:g} s"
                if self._ending.is_set():
                    _end(process)
                    return "was ended because cbtui stops"

    def _warn(self, message: str, call: _Call | None = None) -> None:
        if call is None:
            self._journal(JournalEntry("hook", message, level="warning"))
            return
        shown = shorten(visible(shlex.join(call.command)), _SHOWN_CHARACTERS)
        facts = {"occasion": call.occasion, "command": list(call.command), "reason": message}
        self._journal(JournalEntry("hook", f"{call.occasion}: {shown} {message}", call.task, "warning", facts))


def _feed(process: subprocess.Popen[bytes], rest: memoryview) -> memoryview:
    """Write what the pipe takes, and close it after the last byte; gives what is left."""
    assert process.stdin is not None
    if process.stdin.closed:
        return rest
    try:
        while rest and (written := process.stdin.write(rest)):
            rest = rest[written:]
    except BrokenPipeError:
        rest = rest[:0]
    if not rest:
        process.stdin.close()
    return rest


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group of a process to end, and make it end."""
    _send(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    _send(process, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)


def _send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # A group that is empty is gone; macOS forbids signals to one whose only process has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _home() -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises where there is none
    return home if os.path.isdir(home) else "/"  # noqa: PTH112
