"""Which runs of a task a call is about: `--mode last|all|new|last-new|all-new`, also job by job."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, cast

Mode = Literal["last", "all", "new", "last-new", "all-new"]

MODES: Mapping[Mode, str] = {
    "last": "resume or skip the newest run of each task; start one where there is none",
    "all": "bring every existing run up to date",
    "new": "start a fresh run",
    "last-new": "as last, and write the finished file anew from its takes",
    "all-new": "as all, and write the finished files anew from their takes",
}


@dataclass(frozen=True, slots=True)
class Modes:
    """A mode for all jobs, and others for some. Names of jobs may be globs; an exact name goes first."""

    default: Mode = "last"
    by_job: tuple[tuple[str, Mode], ...] = ()

    def of(self, job: str) -> Mode:
        exact = [mode for name, mode in self.by_job if name == job]
        matching = [mode for name, mode in self.by_job if fnmatchcase(job, name)]
        return (exact or matching or [self.default])[0]

    def idle(self, jobs: Iterable[str]) -> list[str]:
        """A warning for each name that none of these jobs has."""
        there = list(jobs)
        return [
            f"--mode {name}:{mode}: no job here is called that"
            for name, mode in self.by_job
            if not any(fnmatchcase(job, name) for job in there)
        ]


def parse_modes(text: str) -> Modes:
    """`new`, `book:new`, `book*:new,podcast:all`, or `all,book:new`. Raises ValueError saying what is wrong."""
    default: Mode = "last"
    by_job: list[tuple[str, Mode]] = []
    for part in (part.strip() for part in text.split(",")):
        job, colon, mode = part.rpartition(":")
        known = _known(mode.strip(), part)
        if colon:
            by_job.append((job.strip(), known))
        else:
            default = known
    return Modes(default, tuple(by_job))


def is_rebuild(mode: Mode) -> bool:
    return mode in {"last-new", "all-new"}


def _known(mode: str, part: str) -> Mode:
    if mode in MODES:
        return cast("Mode", mode)
    close = difflib.get_close_matches(mode, MODES, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"{part!r}: unknown mode {mode!r}{hint}; there are {', '.join(MODES)}, and JOB:MODE")
