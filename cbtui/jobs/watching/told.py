"""What the watcher tells, as frozen facts, and how long a file must rest before it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cbtui.core.stamp import Stamp


@dataclass(frozen=True, slots=True)
class FileAppeared:
    """A task file is there, and whole."""

    path: Path
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class FileChanged:
    """A task file that was told is another, or was only touched, and is whole."""

    path: Path
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class FileVanished:
    """A task file that was told is no longer there. `stamp` is the last that was told."""

    path: Path
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class FileRenamed:
    """A task file that was told bears another name; its content is what it was."""

    old: Path
    new: Path
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class ReferenceChanged:
    """A file that tasks refer to changed, and is whole; `stamp` is None where it vanished."""

    path: Path
    stamp: Stamp | None


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The settings of a folder (`job.yaml`) came, changed or went."""

    path: Path


@dataclass(frozen=True, slots=True)
class FolderTrouble:
    """Why the watcher cannot see what is at `path`. Told once when it begins, and once, with `over`, when it ends.

    What was known there stands until it can be seen again.
    """

    path: Path
    reason: str
    over: bool = False


Told = FileAppeared | FileChanged | FileVanished | FileRenamed | ReferenceChanged | SettingsChanged | FolderTrouble


@dataclass(frozen=True, slots=True)
class Rests:
    """Seconds without a change after which a file is whole, or gone.

    `brief` lies between the two looks at a file that came in one piece. `long` is for a file that is empty, was seen
    being written, is held open by a writer, or could not be understood. `gone` bridges the moment in which an editor
    that saves has removed the old file and not yet written the new one.
    """

    brief: float = 0.04
    long: float = 1.75
    gone: float = 0.5
