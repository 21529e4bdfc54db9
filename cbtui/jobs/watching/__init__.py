"""Watching a jobs directory: which task files became whole, changed, vanished or got another name, each told once.

Events of the file system are hints; a look at the files is the truth.
"""

from cbtui.jobs.watching.told import (
    FileAppeared,
    FileChanged,
    FileRenamed,
    FileVanished,
    FolderTrouble,
    ReferenceChanged,
    Rests,
    SettingsChanged,
    Told,
)
from cbtui.jobs.watching.watcher import Watcher

__all__ = [
    "FileAppeared",
    "FileChanged",
    "FileRenamed",
    "FileVanished",
    "FolderTrouble",
    "ReferenceChanged",
    "Rests",
    "SettingsChanged",
    "Told",
    "Watcher",
]
