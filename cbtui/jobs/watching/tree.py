"""Looking at a jobs directory: every file that may be a task or a folder's settings, with its stamp."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cbtui.core.stamp import Stamp
from cbtui.jobs.safe_open import explain, kind_of
from cbtui.jobs.scan import FOLDER_SETTINGS, is_passed_over, is_task_name

_GONE = (FileNotFoundError, NotADirectoryError)


@dataclass(slots=True)
class Sighting:
    """What one look found. `troubles` are reasons by path; what lies at or below `unreadable` could not be seen."""

    tasks: dict[str, Stamp | None] = field(default_factory=dict)
    settings: dict[str, Stamp | None] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)


class Tree:
    """The folders of one jobs directory. Links are never followed, but for the jobs directory itself."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self._folders: set[str] = set()

    def look(self) -> Sighting:
        """Everything there is. Never raises OSError: what cannot be seen is in the troubles."""
        sighting = Sighting()
        folders: set[str] = set()
        waiting = [self.root]
        while waiting:
            folder = waiting.pop()
            try:
                subfolders = _look_into(folder, sighting)
            except OSError as error:
                if folder == self.root or not isinstance(error, _GONE):
                    _complain(folder, error, sighting)
                continue
            folders.add(folder)
            waiting += subfolders
        self._folders = folders
        return sighting

    def look_at(self, paths: Iterable[str]) -> Sighting | None:
        """Only what became of `paths`; None where a look at everything is needed to know."""
        sighting = Sighting()
        for path in paths:
            folder, _, name = path.rpartition("/")
            if self._is_passed_over(path):
                continue
            if folder not in self._folders or path in self._folders:
                return None
            stamps = _stamps_for(name, sighting)
            try:
                status = os.lstat(path)
            except OSError as error:
                if not isinstance(error, _GONE) or not os.path.isdir(folder):  # noqa: PTH112 - one per path
                    return None
                if stamps is not None:
                    stamps[path] = None
                continue
            if stat.S_ISDIR(status.st_mode) or (stamps is not None and not stat.S_ISREG(status.st_mode)):
                return None
            if stamps is not None:
                stamps[path] = Stamp.of(status)
        return sighting

    def _is_passed_over(self, path: str) -> bool:
        """Whether `path` is outside of the root, or in a folder that is not looked into."""
        if not path.startswith(self.root + "/"):
            return path != self.root
        parent = self.root.rpartition("/")[2]
        for name in path[len(self.root) + 1 :].split("/"):
            if is_passed_over(parent, name):
                return True
            parent = name
        return False


def stamp_of(path: str) -> Stamp | None:
    """The stamp of the regular file that `path` leads to, over links; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - called for many files
    except (OSError, ValueError):
        return None
    return Stamp.of(status) if stat.S_ISREG(status.st_mode) else None


def _look_into(folder: str, sighting: Sighting) -> list[str]:
    subfolders: list[str] = []
    parent = folder.rpartition("/")[2]
    with os.scandir(folder) as entries:
        for entry in entries:
            stamps = _stamps_for(entry.name, sighting)
            try:
                if entry.is_dir(follow_symlinks=False):
                    if not is_passed_over(parent, entry.name):
                        subfolders.append(entry.path)
                elif stamps is not None:
                    _note_file(entry, stamps, sighting)
            except _GONE:
                continue
            except OSError as error:
                _complain(entry.path, error, sighting)
    return subfolders


def _note_file(entry: os.DirEntry[str], stamps: dict[str, Stamp | None], sighting: Sighting) -> None:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(status.st_mode):
        stamps[entry.path] = Stamp.of(status)
    elif not entry.is_dir():
        kind = "a symbolic link" if entry.is_symlink() else kind_of(status.st_mode)
        sighting.troubles[entry.path] = f"is {kind}: put the file itself here"


def _stamps_for(name: str, sighting: Sighting) -> dict[str, Stamp | None] | None:
    if is_task_name(name):
        return sighting.tasks
    return sighting.settings if name == FOLDER_SETTINGS else None


def _complain(path: str, error: OSError, sighting: Sighting) -> None:
    sighting.troubles[path] = explain(error)
    sighting.unreadable.add(path)
