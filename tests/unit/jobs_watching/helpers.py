"""A consumer that keeps what it is told, and waits for it with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cbtui.jobs.watching import FileAppeared, FileRenamed, FileVanished, Rests, Told, Watcher

DEADLINE = 15.0  # seconds

# As in the program, but that tests of slow writers need not be slow.
QUICK = Rests(brief=0.04, long=0.4, gone=0.2)


class Consumer:
    """`told` has every event so far, in order."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.told: list[Told] = []
        self._markers = 0

    def until(self, is_met: Callable[[], object]) -> None:
        """Take in batches until the condition holds."""
        end = time.monotonic() + DEADLINE
        while not is_met():
            left = end - time.monotonic()
            assert left > 0, f"not told in time; told so far: {self.told[-20:]}"
            self.told += self.watcher.next_batch(min(left, 0.05))

    def until_told(self, *paths: Path) -> None:
        self.until(lambda: {str(path) for path in paths} <= {name for event in self.told for name in _names(event)})

    def until_quiet(self) -> None:
        """Until a file that is dropped now has come and gone: what happened before it is told by then."""
        self._markers += 1
        marker = self.watcher.root / f"marker-{self._markers}.txt"
        drop(marker, "marker")
        self.until(lambda: any(_is(FileAppeared, event, marker) for event in self.told))
        marker.unlink()
        self.until(lambda: any(_is(FileVanished, event, marker) for event in self.told))
        self.told = [event for event in self.told if str(marker) not in _names(event)]

    def events(self) -> list[tuple[str, ...]]:
        """What was told so far, as words: the kind and the names below the jobs directory."""
        return [(type(event).__name__, *map(self._below, _names(event))) for event in self.told]

    def _below(self, name: str) -> str:
        path = Path(name)
        return str(path.relative_to(self.watcher.root)) if path.is_relative_to(self.watcher.root) else path.name


def drop(path: Path, text: str = "Hello.") -> None:
    """Put a whole file there, as `mv` from elsewhere does."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text)
    beside.rename(path)


def _names(event: Told) -> tuple[str, ...]:
    return (str(event.old), str(event.new)) if isinstance(event, FileRenamed) else (str(event.path),)


def _is(kind: type, event: Told, path: Path) -> bool:
    return isinstance(event, kind) and _names(event) == (str(path),)
