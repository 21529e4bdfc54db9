"""Finding task files in a folder that people work in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

FOLDER_SETTINGS = "job.yaml"
YAML_KINDS = (".yaml", ".yml")
TEXT_KINDS = (".txt", ".md")

# Neither is a task: the settings of a folder, and those of the user.
_SETTINGS_FILES = (FOLDER_SETTINGS, "settings.yaml")


def find_task_files(root: Path) -> list[Path]:
    """Every task file in `root` and the folders in it, in natural order: 2 before 10.

    Hidden files and folders, editors' and downloads' leftovers, and settings files are passed over, and so are
    folders that may not be read and the inputs of a cbpipe project (`data/input`), which its YAML files name.
    Links to folders are not followed.
    """
    found: list[Path] = []
    for folder, subfolders, names in os.walk(root):
        parent = Path(folder).name
        subfolders[:] = [name for name in subfolders if not is_passed_over(parent, name)]
        found += [Path(folder, name) for name in names if is_task_name(name)]
    return natural_order(found)


def is_passed_over(parent: str, name: str) -> bool:
    """Whether the folder `name` in a folder named `parent` is hidden, or the inputs of a cbpipe project."""
    return name.startswith(".") or (name == "input" and parent == "data")


def is_task_name(name: str) -> bool:
    """Whether a file of this name is meant as a task. Partial and backup files end otherwise (`~`, `.part`)."""
    kind = os.path.splitext(name)[1].lower()  # noqa: PTH122 - called for every file of a large tree
    return kind in YAML_KINDS + TEXT_KINDS and not name.startswith(".") and name.lower() not in _SETTINGS_FILES


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """`paths` sorted as people count: numbers by value, letters regardless of case."""
    return sorted(paths, key=lambda path: ([_natural(part) for part in path.parts], path.parts))


def _natural(name: str) -> list[tuple[int, int, str]]:
    pieces = re.split(r"([0-9]+)", name)
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece.casefold()) for piece in pieces if piece]
