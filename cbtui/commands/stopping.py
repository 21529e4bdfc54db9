"""Signals as a question that the work asks between two tokens, or as an exit that cleans up."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignal:
    """The first SIGINT, SIGTERM or SIGHUP asks the work to stop; a second one ends the process at once."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._listened: list[signal.Signals] = []

    def listen(self, *, hangup: bool = True) -> None:
        """Without `hangup`, the process outlives its terminal."""
        self._listened = [number for number in _heard() if hangup or number != signal.SIGHUP]
        for number in self._listened:
            signal.signal(number, self._receive)
        if not hangup:
            # Unlike SIG_IGN, a handler is not inherited by children.
            signal.signal(signal.SIGHUP, lambda number, frame: None)

    def __call__(self) -> bool:
        return self.number is not None

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        for each in self._listened:
            signal.signal(each, signal.SIG_DFL)


def exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP end the process as Ctrl+C does: children end with it, temporary files go."""
    for number in _heard():
        if number != signal.SIGINT:
            signal.signal(number, _exit)


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)
    sys.exit(128 + number)


def _heard() -> list[signal.Signals]:
    """The signals that the caller has not told us to ignore, as nohup does."""
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
