"""Putting tasks into a jobs directory: checked as they will lie there, then seen whole or not at all."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cbtui.core.clean import shown_path
from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.task import Task
from cbtui.jobs.companions import find_companions
from cbtui.jobs.destination import Destination, check_folders, check_name, composed
from cbtui.jobs.loader import load_task, load_tasks
from cbtui.jobs.names import name_of_job
from cbtui.jobs.scan import FOLDER_SETTINGS, TEXT_KINDS, YAML_KINDS, is_task_name
from cbtui.jobs.staging import OccupiedError, Staged, Standing, open_source, publish, stage, staging_in, standing

Outcome = Literal["added", "replaced", "present"]


@dataclass(frozen=True, slots=True)
class Added:
    """A task in the jobs directory: its file came there, took the place of another, or was there before.

    `warnings` are for the person who added it.
    """

    outcome: Outcome
    task: str
    path: Path
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """A task file, the path of its copy, and all files to copy: path below the destination -> where it lies."""

    file: Path
    target: Path
    copies: Mapping[Path, Path]


def add_files(
    files: Iterable[Path],
    destination: Destination,
    *,
    name: str | None = None,
    replacing: bool = False,
    user_settings: Path | None = None,
) -> tuple[Added, ...]:
    """Copy task files, and the files that they name, to the destination: all of them or none.

    `name` is the copy's stem, for one file. A file that lies in the jobs directory stays where it is. A text that
    another of the files names is no task of its own. Raises InvalidFile with the problems of all files, and OSError
    naming what could not be read or written.
    """
    files = list(dict.fromkeys(Path(os.path.abspath(file)) for file in files))  # noqa: PTH100 - Path keeps '..'
    added: dict[Path, Added] = {}
    plans: list[_Plan] = []
    problems: list[Problem] = []
    for file in files:
        try:
            if os.path.isdir(file):  # noqa: PTH112 - answers where Path raises: for names that are too long
                raise _refusal(file, f"is a folder: move it into {shown_path(destination.root)}, or copy it (cp -r)")
            if inside := destination.inside(file):
                added[file] = _present(inside, destination, name, user_settings)
            else:
                plans.append(_plan(file, destination, name, user_settings))
        except InvalidFile as error:
            problems += error.problems
    copies = {place: source for plan in plans for place, source in plan.copies.items()}
    problems += [*_collisions(plans, copies, destination), *_twins(plans, copies, destination)]
    if problems:
        raise InvalidFile(tuple(problems))
    if plans:
        added |= _copy(plans, copies, destination, replacing, user_settings)
    return tuple(added[file] for file in files if file in added)


def _present(inside: Path, destination: Destination, name: str | None, user_settings: Path | None) -> Added:
    task = load_task(inside, root=destination.root, user_settings=user_settings)
    if destination.folder not in (destination.root, inside.parent) or name not in (None, inside.stem):
        raise _refusal(inside, "is already in the jobs directory: to move it there, use mv")
    if not destination.is_looked_at(inside.parent) or not is_task_name(inside.name):
        raise _refusal(inside, "is in the jobs directory where it is passed over: move it (mv)")
    return Added("present", task.id, inside)


def _plan(file: Path, destination: Destination, name: str | None, user_settings: Path | None) -> _Plan:
    if file.suffix.lower() not in YAML_KINDS + TEXT_KINDS:
        raise InvalidFile(_problems_where_it_lies(file, user_settings))
    if name is None:
        check_name(file.name, shown_path(file))
    target = destination.folder / file.name if name is None else destination.target(name, file.suffix)
    companions = find_companions(file)
    problems = list(companions.problems)
    copies = {companion.place: companion.source for companion in companions.files}
    for folder in dict.fromkeys(place.parent for place in copies):
        try:
            check_folders(destination.folder, folder)
        except ValueError as error:
            problems.append(Problem(shown_path(file), str(error)))
    if problems:
        raise InvalidFile(_joined(problems, _problems_where_it_lies(file, user_settings)))
    return _Plan(file, target, copies | {Path(target.name): file})


def _problems_where_it_lies(file: Path, user_settings: Path | None) -> tuple[Problem, ...]:
    try:
        load_task(file, root=file.parent, user_settings=user_settings)
    except InvalidFile as error:
        return error.problems
    return ()


def _joined(ours: Sequence[Problem], theirs: Sequence[Problem]) -> tuple[Problem, ...]:
    """From top to bottom; where both speak of the same place, ours."""
    places = {(problem.path, problem.line, problem.column) for problem in ours if problem.line is not None}
    others = [problem for problem in theirs if (problem.path, problem.line, problem.column) not in places]
    return tuple(sorted([*ours, *others], key=lambda one: (one.line or 0, one.column or 0)))


def _collisions(plans: Sequence[_Plan], copies: Mapping[Path, Path], destination: Destination) -> Iterator[Problem]:
    """Files that would take the name of another one among the copies."""
    for plan in plans:
        for place, source in plan.copies.items():
            other = copies[place]
            if source != other and not filecmp.cmp(source, other, shallow=False):
                clash = f"and {shown_path(other)} would both become {shown_path(destination.folder / place)}"
                yield Problem(shown_path(source), f"{clash}: add one of them to another --job")


def _twins(plans: Sequence[_Plan], copies: Mapping[Path, Path], destination: Destination) -> Iterator[Problem]:
    """Files whose copies would make the same task as one that is there under another name."""
    there = {composed(Path(name).stem): name for name in destination.task_files() if Path(name) not in copies}
    for plan in plans:
        if twin := there.get(composed(plan.target.stem)):
            other = shown_path(destination.folder / twin)
            yield Problem(shown_path(plan.file), f"would make the same task as {other}: choose another --name or --job")


def _copy(
    plans: Sequence[_Plan],
    copies: Mapping[Path, Path],
    destination: Destination,
    replacing: bool,
    user_settings: Path | None,
) -> dict[Path, Added]:
    """Carry out the plans; gives what became of each file that is a task of its own."""
    of_target = {plan.target: plan for plan in plans}
    # A text that is there before the task that names it would be taken for a task.
    order = sorted(copies, key=lambda place: destination.folder / place in of_target)
    with staging_in(destination.folder) as hidden:
        staged = {place: Staged(hidden / place, destination.folder / place) for place in order}
        for place, file in staged.items():
            with open_source(copies[place]) as content:
                stage(content, file)
        told = {file.path: shown_path(copies[place]) for place, file in staged.items()}
        files = [hidden / plan.target.name for plan in plans]
        tasks = _load(files, told, destination, user_settings)
        before = _publish(staged, replacing=replacing)
    added: dict[Path, Added] = {}
    for task in tasks:
        plan = of_target[destination.folder / task.source.name]
        outcome = _outcome(before[Path(plan.target.name)], [before[place] for place in plan.copies])
        warnings = _left_behind(plan.file, destination) if outcome != "present" else ()
        added[plan.file] = Added(outcome, f"{_job_of(task, destination)}/{task.name}", plan.target, warnings)
    return added


def _publish(files: Mapping[Path, Staged], *, replacing: bool) -> dict[Path, Standing]:
    """Give all files their names, or raise InvalidFile; gives what lay there before."""
    while True:
        before = {place: standing(file) for place, file in files.items()}
        occupied = ("blocked",) if replacing else ("blocked", "other")
        refused = [_occupied(file, before[place]) for place, file in files.items() if before[place] in occupied]
        if refused:
            raise InvalidFile(tuple(refused))
        try:
            publish([file for place, file in files.items() if before[place] != "same"], replace=replacing)
        except OccupiedError:
            continue
        return before


def _occupied(file: Staged, found: Standing) -> Problem:
    if found == "blocked":
        return Problem(shown_path(file.target), "is in the way and is not a regular file: move it away")
    advice = "choose another --name or --job, or overwrite it with --replace"
    return Problem(shown_path(file.target), f"is there already, with other content: {advice}")


def _outcome(own: Standing, all_files: Sequence[Standing]) -> Outcome:
    if own == "free":
        return "added"
    return "present" if all(each == "same" for each in all_files) else "replaced"


def _load(
    files: Sequence[Path], told: Mapping[Path, str], destination: Destination, user_settings: Path | None
) -> tuple[Task, ...]:
    """The tasks in hidden files, below the same settings as their targets. `told` has the files' names in problems."""
    loaded = load_tasks(files, root=destination.root, user_settings=user_settings, scanned=files)
    if not loaded.invalid:
        return loaded.tasks
    names = {shown_path(each): name for path, name in told.items() for each in (path, Path(os.path.realpath(path)))}
    hidden = f"{files[0].parent.name}/"
    raise InvalidFile(
        tuple(
            replace(problem, path=names.get(problem.path, problem.path), message=problem.message.replace(hidden, ""))
            for invalid in loaded.invalid.values()
            for problem in invalid.problems
        )
    )


def _job_of(task: Task, destination: Destination) -> str:
    """The job of a task loaded from a hidden folder, once it has left it."""
    hidden = name_of_job(task.source.parent.relative_to(destination.root).as_posix())
    return destination.job if task.job == hidden else task.job


def _left_behind(file: Path, destination: Destination) -> tuple[str, ...]:
    settings = file.parent / FOLDER_SETTINGS
    if not os.path.lexists(settings) or os.path.lexists(destination.folder / FOLDER_SETTINGS):
        return ()
    return (f"{shown_path(settings)} is not copied along: its settings do not hold for what was added",)


def _refusal(path: Path, message: str) -> InvalidFile:
    return InvalidFile((Problem(shown_path(path), message),))
