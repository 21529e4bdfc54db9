"""`cbtui run`: render and exit."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from cbtui.commands import exits
from cbtui.commands.engine_options import make_engines
from cbtui.commands.stopping import StopSignal
from cbtui.console import claim_terminal, plain_console
from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.core.problem import InvalidFile
    from cbtui.host.rendering.modes import Modes
    from cbtui.host.rendering.rendered import Rendered
    from cbtui.jobs import Loaded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="task files or folders of them; without any, the jobs directory"
    )
    parser.add_argument("--job", metavar="GLOB", help="only tasks of jobs whose name matches, such as 'book*'")
    parser.add_argument(
        "--mode",
        default="last",
        metavar="MODE",
        help="last (default), all, new, last-new or all-new; also by job: 'book:new,podcast:all'",
    )


def run(arguments: argparse.Namespace, places: Places) -> int:
    from cbtui.host.rendering.modes import parse_modes

    try:
        modes = parse_modes(arguments.mode)
    except ValueError as error:
        plain_console().tell(f"cbtui run: --mode {error}")
        return exits.INVALID
    if "" in arguments.files:
        plain_console().tell("cbtui run: one of the names is empty, as an unset variable is")
        return exits.INVALID
    return render_files(
        [Path(file) for file in arguments.files], arguments, places, modes=modes, job_glob=arguments.job
    )


def render_files(
    files: list[Path],
    arguments: argparse.Namespace,
    places: Places,
    *,
    modes: Modes,
    job_glob: str | None = None,
) -> int:
    """Load the files, render what is valid, print a line per run on stdout; gives the exit status."""
    from cbtui.commands.progress import Progress
    from cbtui.engine.cache_log import CacheLog
    from cbtui.host.rendering.batch import render_tasks

    stopped = StopSignal()
    stopped.listen()
    try:
        console = claim_terminal(places.log, level=arguments.log_level)
    except OSError as error:
        plain_console().tell(f"cbtui: the log {places.log} cannot be written: {error.strerror}. Choose --state-dir.")
        return exits.FAILED
    progress = Progress(console, CacheLog(places.cache_log))
    loaded = _load(files, arguments, places)
    invalid = _of_jobs(loaded.invalid, places, job_glob)
    for problem in (problem for each in invalid for problem in each.problems):
        console.tell(str(problem))
    tasks = [task for task in loaded.tasks if job_glob is None or fnmatchcase(task.job, job_glob)]
    for warning in [*modes.idle(task.job for task in tasks), *(each for task in tasks for each in task.warnings)]:
        progress.tell(f"warning: {warning}")
    if not tasks and not invalid:
        console.tell(_nothing_to_do(files, places, job_glob))
        return exits.INVALID
    engines = make_engines(arguments, places)
    outcomes: list[Rendered] = []

    def settle(rendered: Rendered) -> None:
        outcomes.append(rendered)
        progress.settle(rendered.task.id)
        console.result(_line(rendered))

    render_tasks(tasks, engines=engines, modes=modes, report=progress, settle=settle, should_stop=stopped)
    if stopped.number is not None:
        console.tell("Stopped. What is rendered is kept: the same command goes on from there.")
        return 128 + stopped.number
    return _status(outcomes, any_invalid=bool(invalid))


def _load(files: list[Path], arguments: argparse.Namespace, places: Places) -> Loaded:
    """The tasks of the files named, and of all files in the folders named."""
    from cbtui.jobs import find_task_files, load_tasks

    # os.path answers where Path raises: for names that are too long.
    named = [file for file in files if not os.path.isdir(file)]  # noqa: PTH112
    folders = [file for file in files if file not in named] or ([] if files else [places.jobs])
    scanned = [path for folder in folders for path in find_task_files(folder)]
    overrides = {key: value for key in ("engine", "model") if (value := getattr(arguments, key))}
    return load_tasks(
        [*named, *scanned],
        root=places.jobs,
        user_settings=places.user_settings,
        scanned=frozenset(scanned) - frozenset(named),
        overrides=overrides,
    )


def _of_jobs(invalid: Mapping[Path, InvalidFile], places: Places, job_glob: str | None) -> list[InvalidFile]:
    """What is wrong with the files of these jobs; what job an invalid file gives itself is not known."""
    from cbtui.jobs import job_of_folder

    return [
        each
        for path, each in invalid.items()
        if job_glob is None or fnmatchcase(job_of_folder(path, root=places.jobs), job_glob)
    ]


def _nothing_to_do(files: list[Path], places: Places, job_glob: str | None) -> str:
    if job_glob is not None:
        return f"cbtui run: no task of a job that matches {job_glob!r}. Names of jobs are names of folders."
    if not files:
        return f"cbtui run: no task files in {places.jobs}. Put a .yaml, .txt or .md file there, or name one."
    return f"cbtui run: no task files in {', '.join(map(str, files))}."


def _line(rendered: Rendered) -> str:
    """One run, for people and for scripts: outcome, task, and the file or the reason."""
    if rendered.final is not None:
        what = f"{rendered.final} ({_how(rendered)})"
    elif rendered.outcome == "stopped":
        what = f"{rendered.rendered + rendered.reused} chunks are kept"
    else:
        what = rendered.reason
    return f"{rendered.outcome:<8} {rendered.task.id}  {what}"


def _how(rendered: Rendered) -> str:
    from cbtui.core.durations import format_seconds

    if rendered.outcome == "skipped":
        return "up to date"
    parts = [f"{rendered.speech_seconds:.1f} s of speech in {format_seconds(rendered.work_seconds)}"]
    if rendered.reused:
        parts.append(f"{rendered.reused} of {rendered.rendered + rendered.reused} chunks reused")
    if rendered.draft:
        parts.append("draft")
    return ", ".join(parts)


def _status(outcomes: list[Rendered], *, any_invalid: bool) -> int:
    kinds = {rendered.outcome for rendered in outcomes}
    if "unavailable" in kinds:
        return exits.UNAVAILABLE
    if any_invalid:
        return exits.INVALID
    return exits.FAILED if "failed" in kinds else exits.DONE
