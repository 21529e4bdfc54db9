"""One host per jobs directory: an OS file lock that dies with its process, and a note in the file of who holds it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from cbtui.host.store import store_path
from cbtui.paths import Places

# A look at the lock holds it for an instant; a host that starts in that instant tries again.
_PATIENCE_SECONDS = 0.5
_GLANCE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """Who hosts a jobs directory. `since` is Unix time; `screen` tells whether it began with one."""

    pid: int
    machine: str
    since: float
    jobs: str
    screen: bool = False

    def __str__(self) -> str:
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"process {self.pid} on {self.machine}, since {clock}"


class HostRunning(Exception):
    """Another process hosts this jobs directory. `holder` is None where it did not say who it is."""

    def __init__(self, jobs: Path, holder: Holder | None) -> None:
        who = f"by {holder}" if holder else "by another cbtui"
        super().__init__(f"{jobs} is hosted already, {who}. Steer it with cbtui status, pause, cancel and the like.")
        self.holder = holder


class HostLock:
    """Held from `take` to `release`, or to the end of the process. Children do not inherit it."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._path = lock_path(places)
        self._file: IO[str] | None = None

    def take(self, *, screen: bool = False) -> None:
        """Raises HostRunning and OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _locks(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = _read_holder(file)
                file.close()
                raise HostRunning(self._places.jobs, holder)
            time.sleep(_GLANCE_SECONDS)
        holder = Holder(os.getpid(), platform.node(), time.time(), str(self._places.jobs), screen)
        self._file = file
        # On a full disk nobody learns who holds it; it is held all the same.
        with contextlib.suppress(OSError):
            file.truncate(0)
            file.write(json.dumps(asdict(holder)))
            file.flush()

    def release(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def lock_path(places: Places) -> Path:
    return store_path(places).with_suffix(".host")


def find_host(places: Places) -> Holder | None:
    """Who hosts this jobs directory right now. Raises OSError where the lock may not be looked at."""
    try:
        file = lock_path(places).open("r+", encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        if _locks(file, fcntl.LOCK_SH):
            return None
        return _read_holder(file) or Holder(0, "unknown", 0.0, str(places.jobs))


def _locks(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_holder(file: IO[str]) -> Holder | None:
    """None in the instant between a host's lock and its note."""
    file.seek(0)
    try:
        return Holder(**json.load(file))
    except (ValueError, TypeError):
        return None
