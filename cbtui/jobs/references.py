"""Files that a task file names: found, resolved, inside the folders they may lie in, and of a sane kind and size."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cbtui.core.clean import visible
from cbtui.jobs.safe_open import TEXT_LIMIT, explain, kind_of
from cbtui.jobs.values import did_you_mean, quote

CLIP_LIMIT = 200_000_000

_TEXTS = "texts"
_CLIPS = "reference_audio"


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds what one settings file names. `base` is that file's folder.

    `root` is the folder that everything must lie in, None where the file may name any place (the user's own
    settings). `pipeline` adds the input folders of a cbpipe project.
    """

    base: Path
    root: Path | None
    pipeline: bool = False

    def text(self, written: str) -> Path:
        """The resolved path of a text file. Raises ValueError saying what is wrong."""
        return self._find(written, _TEXTS, TEXT_LIMIT)

    def clip(self, written: str) -> Path:
        """The resolved path of a reference clip. Raises ValueError saying what is wrong."""
        return self._find(written, _CLIPS, CLIP_LIMIT)

    def _find(self, written: str, kind: str, limit: int) -> Path:
        inputs = self._input_folders(kind) if self.pipeline else []
        allowed = [_resolved(folder) for folder in (self.root, *inputs) if folder is not None]
        candidates = [_resolved(folder / written) for folder in (self.base, *inputs)]
        if self.root is not None:
            candidates = [path for path in candidates if any(path.is_relative_to(folder) for folder in allowed)]
        if not candidates:
            raise ValueError(f"{quote(written)} lies outside of the jobs directory: copy the file into it")
        found = next((path for path in candidates if os.path.lexists(path)), None)
        if found is None:
            raise ValueError(_missing(written, candidates))
        _check_kind(found, written, limit)
        return found

    def _input_folders(self, kind: str) -> list[Path]:
        """`data/input/<kind>` beside the file and in each folder above it, up to the one that holds the root.

        A job of the project's own `data/jobs/<job>/` also sees the project's inputs, wherever the root is.
        """
        top = self.root.parent if self.root else self.base
        projects = [self.base]
        while projects[-1] != top and projects[-1].is_relative_to(top):
            projects.append(projects[-1].parent)
        jobs = self.base.parent
        if jobs.parent.name == "data":
            projects.append(jobs.parent.parent)
        folders = [project / "data" / "input" / kind for project in projects]
        return [folder for folder in folders if folder.is_dir()]


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _missing(written: str, candidates: list[Path]) -> str:
    siblings = [name for path in candidates for name in _names_in(path.parent)]
    hint = did_you_mean(Path(written).name, siblings)
    elsewhere = f" (looked in {len(candidates)} folders)" if len(candidates) > 1 and not hint else ""
    return f"no such file: {quote(written)}{hint or elsewhere}"


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(visible(name) for name in os.listdir(folder))  # noqa: PTH208 - plain names are wanted
    except OSError:
        return []


def _check_kind(path: Path, written: str, limit: int) -> None:
    try:
        status = path.lstat()
    except OSError as error:
        raise ValueError(f"{quote(written)} {explain(error)}") from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a broken link" if stat.S_ISLNK(status.st_mode) else kind_of(status.st_mode)
        raise ValueError(f"{quote(written)} is {kind}, not a file")
    if status.st_size == 0:
        raise ValueError(f"{quote(written)} is empty")
    if status.st_size > limit:
        raise ValueError(f"{quote(written)} is larger than {limit // 1_000_000} MB")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{quote(written)} cannot be read: permission denied")
