"""Looks in, events out: what is known of a set of files, and what the consumer knows. No time, no file system."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cbtui.core.stamp import Stamp
from cbtui.jobs.watching.told import FileAppeared, FileChanged, FileRenamed, FileVanished, Rests

FileEvent = FileAppeared | FileChanged | FileVanished | FileRenamed


@dataclass(frozen=True, slots=True)
class Look:
    """What was there between `began` and `ended` (seconds of one clock); None for a path that had no regular file.

    A `complete` look names every file: one that it does not name is gone, unless it lies at or below `unreadable`.
    """

    began: float
    ended: float
    seen: Mapping[str, Stamp | None]
    complete: bool = False
    unreadable: Collection[str] = ()


@dataclass(slots=True)
class _File:
    """`stamp` is None while the file is missing, `told` while the consumer does not know it. `since` is when the
    stamp was first seen. `restless` has changed while it was waited for, `doubted` could not be understood."""

    stamp: Stamp | None
    since: float
    told: Stamp | None = None
    told_at: float = 0.0
    restless: bool = False
    doubted: bool = False


class Ledger:
    """Tells each state of each file once, when it has rested.

    `held_open` says whether somebody still writes the file; it is asked once per file that is otherwise whole.
    """

    def __init__(self, rests: Rests, held_open: Callable[[str, Stamp], bool] = lambda path, stamp: False) -> None:
        self._rests = rests
        self._held_open = held_open
        self._files: dict[str, _File] = {}
        self._waiting: set[str] = set()

    @property
    def waiting(self) -> frozenset[str]:
        """The paths that the next look must name."""
        return frozenset(self._waiting)

    def due(self) -> float | None:
        """When a next look could find a file at rest; None where nothing is waited for."""
        rests = (self._files[path].since + self._rest(self._files[path]) for path in self._waiting)
        return min(rests, default=None)

    def adopt(self, path: str, stamp: Stamp | None, at: float) -> None:
        """Take `stamp` for known to the consumer, unless the path is already watched."""
        self._files.setdefault(path, _File(stamp, at, told=stamp, told_at=at))

    def forget(self, paths: Iterable[str]) -> None:
        """Stop watching `paths`, and tell nothing of it."""
        for path in paths:
            self._files.pop(path, None)
            self._waiting.discard(path)

    def doubt(self, path: str, now: float) -> bool:
        """The consumer could not understand the file as it was told.

        True: it may not have been whole, and will be told once more. False: it has rested long, so that is how it is.
        """
        file = self._files.get(path)
        if file is None or file.told is None:
            return False
        if file.stamp == file.told and now - file.since >= self._rests.long:
            return False
        file.doubted = True
        self._waiting.add(path)
        return True

    def take(self, look: Look) -> list[FileEvent]:
        """Compare a look with those before it. Returns what came to rest, in no order."""
        for path, stamp in look.seen.items():
            self._note(path, stamp, look)
        if look.complete:
            for path in self._files.keys() - look.seen.keys():
                if not _lies_below(path, look.unreadable):
                    self._note(path, None, look)
        return self._settle(look)

    def _note(self, path: str, stamp: Stamp | None, look: Look) -> None:
        file = self._files.get(path)
        if file is None:
            if stamp is not None:
                self._files[path] = _File(stamp, look.ended)
                self._waiting.add(path)
        elif file.stamp != stamp:
            unfinished = path in self._waiting or look.began - file.told_at < self._rests.long
            file.restless = unfinished and _is_same_file(file.stamp, stamp)
            file.stamp, file.since = stamp, look.ended
        if file is not None and (file.stamp != file.told or file.doubted):
            self._waiting.add(path)

    def _settle(self, look: Look) -> list[FileEvent]:
        events = self._tell_renamed(look)
        for path in list(self._waiting):
            file = self._files[path]
            is_known = file.stamp == file.told and not file.doubted
            if is_known or _lies_below(path, look.unreadable):
                self._waiting.discard(path)
            elif file.stamp is None:
                if look.ended - file.since >= self._rests.gone:
                    events += self._tell_vanished(path, file)
            elif path in look.seen and self._is_whole(path, file, file.stamp, look):
                events.append(self._tell(path, file, file.stamp, look))
        return events

    def _is_whole(self, path: str, file: _File, stamp: Stamp, look: Look) -> bool:
        rested = look.began - file.since
        if rested < self._rest(file):
            return False
        if rested < self._rests.long and self._held_open(path, stamp):
            file.restless = True
            return False
        return True

    def _rest(self, file: _File) -> float:
        if file.stamp is None:
            return self._rests.gone
        return self._rests.long if file.restless or file.doubted or file.stamp.size == 0 else self._rests.brief

    def _tell_renamed(self, look: Look) -> list[FileEvent]:
        """A new name for a file that was told and is missing needs no rest: it was whole under the old one."""
        missing = {
            file.told: path
            for path in self._waiting
            if (file := self._files[path]).stamp is None and file.told is not None
        }
        events: list[FileEvent] = []
        for path in sorted(self._waiting) if missing else ():
            # Of those that wait, some were the old name of another by now.
            new = self._files.get(path)
            if new is None or new.told is not None or new.stamp is None:
                continue
            old = missing.pop(new.stamp, None)
            if old is None:
                continue
            new.told, new.told_at, new.doubted = new.stamp, look.ended, self._files[old].doubted
            self.forget([old])
            events.append(FileRenamed(Path(old), Path(path), new.stamp))
        return events

    def _tell(self, path: str, file: _File, stamp: Stamp, look: Look) -> FileEvent:
        is_new = file.told is None
        file.told, file.told_at = stamp, look.ended
        file.restless = file.doubted = False
        self._waiting.discard(path)
        return FileAppeared(Path(path), stamp) if is_new else FileChanged(Path(path), stamp)

    def _tell_vanished(self, path: str, file: _File) -> list[FileEvent]:
        self.forget([path])
        return [FileVanished(Path(path), file.told)] if file.told is not None else []


def _is_same_file(before: Stamp | None, after: Stamp | None) -> bool:
    """Whether one file was written to, as opposed to another put in its place."""
    return before is not None and after is not None and before[:2] == after[:2]


def _lies_below(path: str, folders: Collection[str]) -> bool:
    if not folders:
        return False
    return path in folders or any(str(parent) in folders for parent in Path(path).parents)
