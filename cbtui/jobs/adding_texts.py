"""A text without a file: what its file will hold, checked as it will lie there, then put there whole."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.task import Task
from cbtui.jobs.adding import Added
from cbtui.jobs.destination import Destination, composed
from cbtui.jobs.loader import load_text
from cbtui.jobs.scan import TEXT_KINDS
from cbtui.jobs.staging import OccupiedError, Staged, publish, stage, staging_in
from cbtui.jobs.typed_text import Setting, name_for, with_settings

TYPED = "stdin"
"""What a text without a file is called in problems."""

_KIND = TEXT_KINDS[0]


@dataclass(frozen=True, slots=True)
class Composed:
    """A text that is to become a task: its name, the first path that is free for it, and all that will stand there.

    `has_options` tells whether settings were put above the text.
    """

    stem: str
    path: Path
    content: str
    has_options: bool


def compose_text(
    text: str, destination: Destination, *, name: str | None = None, settings: Mapping[str, Setting] | None = None
) -> Composed:
    """The file that `text` would become with these settings; without a name, its first words name it.

    Where there is a task of that name, it becomes `name-2` and so on. Raises InvalidFile and OSError.
    """
    stem = name_for(text) if name is None else composed(name)
    destination.target(stem, _KIND)
    try:
        content = with_settings(text, settings) if settings else text
    except ValueError as error:
        raise InvalidFile((Problem(TYPED, str(error)),)) from None
    free = next(destination.free_names(stem))
    return Composed(stem, destination.target(free, _KIND), content, bool(settings))


def check_text(new: Composed, destination: Destination, user_settings: Path | None = None) -> Task:
    """The task that it would make there. Raises InvalidFile."""
    try:
        return load_text(new.content, new.path, root=destination.root, user_settings=user_settings, shown=TYPED)
    except InvalidFile as error:
        if not new.has_options:
            raise
        raise InvalidFile(tuple(_without_place(problem) for problem in error.problems)) from None


def add_text(
    text: str,
    destination: Destination,
    *,
    name: str | None = None,
    settings: Mapping[str, Setting] | None = None,
    user_settings: Path | None = None,
) -> Added:
    """Make `text` a task in the new file that `compose_text` describes. Raises InvalidFile and OSError."""
    new = compose_text(text, destination, name=name, settings=settings)
    task = check_text(new, destination, user_settings)
    with staging_in(destination.folder) as hidden:
        staged = Staged(hidden / new.path.name, new.path)
        stage(io.BytesIO(new.content.encode()), staged)
        for free in destination.free_names(new.stem):
            target = destination.target(free, _KIND)
            try:
                publish([replace(staged, target=target)])
            except OccupiedError:
                continue
            return Added("added", f"{task.job}/{free}", target)
    raise AssertionError("numbers have no end")


def _without_place(problem: Problem) -> Problem:
    """Nobody has seen the lines that options became."""
    return replace(problem, line=None, column=None) if problem.path == TYPED else problem
