"""The folder that new tasks go to: the jobs directory, or a job in it, where a host will see them."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cbtui.core.clean import shown_path, visible
from cbtui.core.problem import InvalidFile, Problem
from cbtui.jobs.names import name_of_job, name_of_task
from cbtui.jobs.scan import is_passed_over, is_task_name
from cbtui.jobs.values import quote


@dataclass(frozen=True, slots=True)
class Destination:
    """`folder` is the jobs directory `root` or lies below it, both absolute; `job` is the name it gives its tasks."""

    root: Path
    folder: Path
    job: str

    def inside(self, file: Path) -> Path | None:
        """The path of a file that lies in the jobs directory already, below `root`; None for one elsewhere."""
        root, folder = (Path(os.path.realpath(path)) for path in (self.root, file.parent))
        return self.root / folder.relative_to(root) / file.name if folder.is_relative_to(root) else None

    def target(self, name: str, kind: str) -> Path:
        """The path of a new task file, `kind` being its ending. Raises InvalidFile where it would be no task."""
        shown = f"--name {visible(name)}".rstrip()
        if not name.strip():
            raise InvalidFile((Problem(shown, "is empty"),))
        if "/" in name:
            raise InvalidFile((Problem(shown, "must not hold '/': the job names the folder"),))
        check_name(name + kind, shown)
        return self.folder / (name + kind)

    def free_names(self, name: str) -> Iterator[str]:
        """`name`, `name-2` and so on, without those that a task in the folder bears. Raises OSError."""
        taken = {composed(Path(file).stem) for file in self.task_files()}
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        return (each for each in names if each not in taken)

    def is_looked_at(self, path: Path) -> bool:
        """Whether a host looks for tasks in the folder `path` below the root."""
        return _passed_over(self.root, path.relative_to(self.root)) is None

    def task_files(self) -> list[str]:
        """The names of the task files in the folder. Raises OSError."""
        try:
            return [name for name in os.listdir(self.folder) if is_task_name(name)]  # noqa: PTH208 - names are wanted
        except FileNotFoundError:
            return []


def find_destination(root: Path, job: str | None = None) -> Destination:
    """The folder of a job, or the jobs directory itself; neither needs to exist. Raises ValueError."""
    root = Path(os.path.abspath(root))  # noqa: PTH100 - Path.absolute keeps '..'
    if job is None:
        return Destination(root, root, name_of_job(root.name or "jobs"))
    job = name_of_job(job.rstrip("/"))
    if hidden := _passed_over(root, Path(job)):
        raise ValueError(f"a folder called {quote(hidden)} is passed over there: choose another name")
    check_folders(root, Path(job))
    return Destination(root, root / job, job)


def check_name(file_name: str, shown: str) -> None:
    """Raises InvalidFile, in which the file is called `shown`, where a file of this name would be no task."""
    try:
        name_of_task(Path(file_name))
    except ValueError as error:
        raise InvalidFile((Problem(shown, str(error)),)) from None
    if file_name.startswith("."):
        raise InvalidFile((Problem(shown, "a file whose name begins with a dot is passed over: choose another name"),))
    if not is_task_name(file_name):
        raise InvalidFile((Problem(shown, "is the name of a folder's settings: copy those there yourself (cp)"),))


def check_folders(top: Path, place: Path) -> None:
    """Raises ValueError where something other than a folder has the name of a folder on the way down to `place`."""
    folder = top
    for part in place.parts:
        folder /= part
        if folder.is_symlink():
            raise ValueError(f"{shown_path(folder)} is a symbolic link, which is not followed: choose another folder")
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{shown_path(folder)} is a file, where a folder is needed: choose another folder")


def composed(name: str) -> str:
    """A name as tasks bear it: letters and their accents in Unicode's composed form."""
    return unicodedata.normalize("NFC", name)


def _passed_over(root: Path, below: Path) -> str | None:
    """The first folder on the way down that nobody looks into."""
    parent = root.name
    for name in below.parts:
        if is_passed_over(parent, name):
            return name
        parent = name
    return None
