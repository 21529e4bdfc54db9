"""The terminal, handed to the screen alone: whatever libraries and children write goes to the log."""

from __future__ import annotations

import os
import shutil
import sys

from cbtui.console import Console

LEAST_COLUMNS = 40
LEAST_LINES = 10

# Programs that play a WAV file, with what keeps them from opening a window and from talking.
PLAYERS = (
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("afplay",),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
    ("play", "-q"),
    ("mpv", "--no-video", "--really-quiet"),
)


class NoTerminal(Exception):
    """The screen needs a terminal to show itself and to read keys. The message says what to use instead."""


def check_terminal() -> None:
    """Raises NoTerminal."""
    for stream in (sys.stdin, sys.stdout):
        if stream is None or not stream.isatty():
            raise NoTerminal("the screen needs a terminal. Without one: cbtui watch, cbtui status")
    if os.environ.get("TERM", "dumb") == "dumb":
        raise NoTerminal("this terminal (TERM=dumb) cannot show a screen. Without one: cbtui watch, cbtui status")


def hand_over(console: Console) -> None:
    """Have Textual draw on the terminal that `console` kept.

    Its driver writes to `sys.__stderr__` and measures `sys.__stdout__`, whatever descriptors 1 and 2 are by now.
    """
    sys.__stderr__ = console.err  # type: ignore[misc, assignment]
    sys.__stdout__ = console.out  # type: ignore[misc, assignment]


def is_congested() -> bool:
    """Whether the terminal has not yet taken what it was sent: a slow line, or output that was stopped."""
    import select

    stream = sys.__stderr__
    if stream is None:
        return False
    try:
        return not select.select([], [stream.fileno()], [], 0)[1]
    except (OSError, ValueError):
        return False


def is_remote() -> bool:
    """Whether the person sits at another machine."""
    return bool(os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"))


def find_player() -> list[str] | None:
    """The first program here that plays a WAV file without a window; None where there is none."""
    return next((list(command) for command in PLAYERS if shutil.which(command[0])), None)


def editor() -> list[str]:
    """The person's editor, as words. Raises ValueError where a quotation is not closed."""
    import shlex

    for name in ("VISUAL", "EDITOR"):
        if words := shlex.split(os.environ.get(name, "")):
            return words
    return [next((name for name in ("nano", "vim", "vi") if shutil.which(name)), "vi")]
