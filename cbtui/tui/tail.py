"""The end of a file that others write to, read in a thread: as it grows, when it is cut off, replaced or gone."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cbtui.core.clean import visible

_SECONDS = 0.3
# The first look goes back so far.
LIMIT = 1_000_000

# Colours and the like, as terminals take them (ECMA-48).
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass(frozen=True, slots=True)
class Read:
    """Further lines, or with `anew` all there are, `cut` if but for the first. `trouble` says why there are none."""

    lines: tuple[str, ...]
    anew: bool = False
    cut: bool = False
    trouble: str = ""


class Tail:
    """`post` is called from the thread with what is new. `seconds` pass between two looks."""

    def __init__(self, path: Path, post: Callable[[Read], object], *, seconds: float = _SECONDS) -> None:
        self._path = path
        self._post = post
        self._seconds = seconds
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._rest = b""
        self._trouble = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cbtui-tail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            read = self.look()
            if read is not None and not self._stopped.is_set():
                self._post(read)
            self._stopped.wait(self._seconds)

    def look(self) -> Read | None:
        """What is new since the last look; None where nothing is."""
        try:
            read = self._read()
        except OSError as error:
            self._identity = None
            trouble = "there is no log yet" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
            if trouble == self._trouble:
                return None
            self._trouble = trouble
            return Read((), anew=True, trouble=trouble)
        self._trouble = ""
        return read

    def _read(self) -> Read | None:
        # A log that somebody made a pipe would hold us up.
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise OSError(0, "it is not a file")
            identity = (facts.st_dev, facts.st_ino)
            # Another file by this name goes on where the one before ended: the log was rotated.
            is_next = self._identity is not None and identity != self._identity
            offset = 0 if is_next or self._identity is None else self._offset
            # What was cut off begins anew, and so does what is written faster than it is read.
            too_far = facts.st_size - offset > LIMIT
            anew = self._identity is None or facts.st_size < offset or too_far
            if anew or is_next:
                self._identity, self._rest = identity, b""
                self._offset = max(0, facts.st_size - LIMIT) if anew else 0
            began_within = anew and self._offset > 0
            content = os.pread(descriptor, LIMIT, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(content)
        *whole, self._rest = (self._rest + content).split(b"\n")
        # A line without an end, for ever, is shown in pieces.
        if len(self._rest) > LIMIT:
            whole, self._rest = [*whole, self._rest], b""
        lines = tuple(map(_shown, whole[1:] if began_within else whole))
        return Read(lines, anew=anew, cut=began_within) if lines or anew else None


def _shown(line: bytes) -> str:
    """What a terminal would show of it in the end: no colours, and of progress that overwrites itself the last."""
    text = _SEQUENCE.sub("", line.decode("utf-8", "replace")).rstrip("\r")
    return visible(text.rpartition("\r")[2].expandtabs(8))
