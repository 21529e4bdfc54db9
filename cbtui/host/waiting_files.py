"""The files that wait to be read: those just told of, and those to be looked at once more in a while."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from cbtui.core.stamp import Stamp
from cbtui.jobs.scan import TEXT_KINDS, YAML_KINDS
from cbtui.jobs.watching.tree import stamp_of

# Long enough for what was being written a moment ago.
FRESH_SECONDS = 2.0


class WaitingFiles:
    """In the order in which they are read."""

    def __init__(self) -> None:
        self._pending: dict[Path, Stamp] = {}
        self._unconditional: set[Path] = set()
        self._again: dict[Path, float] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, path: Path, stamp: Stamp, *, unconditionally: bool = False) -> None:
        """A file as it was when it was told; `unconditionally`: to be read though it be as it was before."""
        self._pending[path] = stamp
        if unconditionally:
            self._unconditional.add(path)

    def add_anew(self, paths: Iterable[Path]) -> None:
        """Files to be read as they are now, changed or not; those that are gone are left out."""
        for path in paths:
            stamp = stamp_of(str(path))
            if stamp is not None:
                self.add(path, stamp, unconditionally=True)

    def add_soon(self, path: Path) -> None:
        """A file to be read anew when some time has passed from now."""
        self._again[path] = time.monotonic() + FRESH_SECONDS

    def add_soon_once(self, path: Path) -> None:
        """The same, unless it is going to be already."""
        if path not in self._again:
            self.add_soon(path)

    def add_due(self) -> None:
        """Those for which the time has passed."""
        now = time.monotonic()
        due = [path for path, at in self._again.items() if at <= now]
        for path in due:
            del self._again[path]
        self.add_anew(due)

    def forget(self, path: Path) -> None:
        """A file that is gone."""
        self._pending.pop(path, None)

    def take(self, most: int) -> dict[Path, Stamp]:
        """The first ones, which then wait no more."""
        some = dict(itertools.islice(self._pending.items(), most))
        for path in some:
            del self._pending[path]
        return some

    def put_back(self, some: Mapping[Path, Stamp]) -> None:
        """To be the first again."""
        self._pending = {**some, **self._pending}

    def is_unconditional(self, path: Path) -> bool:
        return path in self._unconditional

    def were_read(self, paths: Iterable[Path]) -> None:
        self._unconditional.difference_update(paths)

    def texts(self) -> list[Path]:
        return [path for path in self._pending if path.suffix.lower() in TEXT_KINDS]

    def sort(self, naming: Iterable[Path], *, most: int) -> None:
        """Let what may name a text come before the text, or with it among the `most` that are read at once.

        `naming`: files beside those that wait.
        """
        waiting, self._pending = self._pending, {}
        self.add_anew(path for path in (*naming, *self._again) if _names_texts(path) and path not in waiting)
        if len(waiting) > most:
            self._pending |= {path: stamp for path, stamp in waiting.items() if _names_texts(path)}
        self._pending |= waiting


def _names_texts(path: Path) -> bool:
    return path.suffix.lower() in YAML_KINDS
