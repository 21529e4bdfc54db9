"""A consumer that keeps what it is told, and waits for it with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from cbtui.jobs.watching import FileRenamed, Rests, Told, Watcher

DEADLINE = 15.0  # seconds

# As in the program, but that tests of slow writers need not be slow.
QUICK = Rests(brief=0.04, long=0.15, gone=0.1)

_MARKER = "marker-"


class Consumer:
    """`told` has every event so far, in order."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.told: list[Told] = []
        self._markers = 0
        self._marked: set[str] = set()

    def until(self, is_met: Callable[[], object]) -> None:
        """Take in batches until the condition holds."""
        end = time.monotonic() + DEADLINE
        while not is_met():
            left = end - time.monotonic()
            assert left > 0, f"not told in time; told so far: {self.told[-20:]}"
            for event in self.watcher.next_batch(min(left, 0.05)):
                if _MARKER in _names(event)[-1]:
                    self._marked.add(Path(_names(event)[-1]).name)
                else:
                    self.told.append(event)

    def until_told(self, *paths: Path) -> None:
        self.until(lambda: {str(path) for path in paths} <= {name for event in self.told for name in _names(event)})

    def until_watching(self) -> None:
        """Until a file that is dropped now is told."""
        drop(self._marker())
        self._until_marked()

    def until_quiet(self) -> None:
        """Until an empty file that is made now is told: what happened before it has rested as long by then."""
        self._marker().touch()
        self._until_marked()

    def _marker(self) -> Path:
        self._markers += 1
        return self.watcher.root / f"{_MARKER}{self._markers}.txt"

    def _until_marked(self) -> None:
        name = f"{_MARKER}{self._markers}.txt"
        self.until(lambda: name in self._marked)

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
