"""Runs on disk: `output/<job>/<task>/<run>/`, each with a manifest that says what it is."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cbtui.atomic import write_json
from cbtui.core.task import Task

MANIFEST_VERSION = 1
_RUN_NAME = re.compile(r"\d{8}-\d{6}(-.+)?")
_UNSAFE = re.compile(r"[^\w.+-]+")


class RunInUse(Exception):
    """Another process renders this task."""


@dataclass(frozen=True, slots=True)
class Run:
    """One rendering of a task. The folder need not exist yet."""

    folder: Path
    task_name: str

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def chunks(self) -> Path:
        return self.folder / "chunks"

    @property
    def final(self) -> Path:
        return self.folder / f"{self.task_name}.wav"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    def read_manifest(self) -> dict[str, Any]:
        """The manifest, or an empty one where there is none that can be read: then nothing of the run is known."""
        try:
            content = json.loads(self.manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) and content.get("version") == MANIFEST_VERSION else {}

    def write_manifest(self, content: dict[str, Any]) -> None:
        write_json(self.manifest, {"version": MANIFEST_VERSION, **content})

    def remove_leftovers(self) -> None:
        """Delete temporary files of a process that was killed. Only for the one that holds the run."""
        for folder in (self.folder, self.chunks):
            for path in folder.glob(".*.part"):
                path.unlink(missing_ok=True)


def task_folder(output: Path, task: Task) -> Path:
    return output / task.job / task.name


def find_runs(output: Path, task: Task) -> list[Run]:
    """The runs of a task, oldest first."""
    return runs_in(task_folder(output, task), task.name)


def runs_in(folder: Path, task_name: str) -> list[Run]:
    """The runs in the folder of a task, oldest first. Raises OSError."""
    if not folder.is_dir():
        return []
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and _RUN_NAME.fullmatch(entry.name))
    return [Run(folder / name, task_name) for name in names]


def start_run(output: Path, task: Task, *, now: datetime) -> Run:
    """A new run, later by name than every run there is; its folder comes with its first file."""
    folder = task_folder(output, task)
    label = _UNSAFE.sub("-", task.run_label).strip("-.")[:60]
    taken = [run.name[:15] for run in find_runs(output, task)]
    while (stamp := now.strftime("%Y%m%d-%H%M%S")) in taken or any(stamp < other for other in taken):
        now += timedelta(seconds=1)
    return Run(folder / (f"{stamp}-{label}" if label else stamp), task.name)


def next_seed(runs: list[Run]) -> int:
    """The seed of a new run of a task that sets none: 0 at first, then one more than any run so far."""
    seeds = [run.read_manifest().get("seed") for run in runs]
    return max((seed for seed in seeds if isinstance(seed, int)), default=-1) + 1


@contextmanager
def holding_task(output: Path, task: Task) -> Iterator[None]:
    """Keep other processes from rendering this task; the lock dies with the process. Raises RunInUse and OSError."""
    folder = task_folder(output, task)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunInUse(f"another cbtui is rendering {task.id}") from error
        yield
