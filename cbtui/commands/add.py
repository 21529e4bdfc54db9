"""`cbtui add`: put tasks into the jobs directory, where a host that watches it queues them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cbtui.commands import exits
from cbtui.console import Console, plain_console
from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.jobs.adding import Added
    from cbtui.jobs.destination import Destination

_STDIN = "-"
_SETTINGS = ("engine", "model", "speaker", "language", "priority", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="task files; or only - for a text from stdin")
    parser.add_argument("--job", metavar="NAME", help="the folder in the jobs directory that they go to, such as book")
    parser.add_argument("--name", metavar="NAME", help="what the new file is called, without its ending")
    parser.add_argument("--replace", action="store_true", help="overwrite files of the same name and other content")
    group = parser.add_argument_group("settings of a text from stdin (also --engine and --model)")
    group.add_argument("--speaker", metavar="NAME", help="who speaks: a speaker that the settings of the folder know")
    group.add_argument("--language", metavar="CODE", help="for the multilingual model")
    group.add_argument("--priority", metavar="N", type=int, help="higher is rendered first")
    group.add_argument("--seed", metavar="N", type=int, help="the same seed gives the same samples")


def run(arguments: argparse.Namespace, places: Places) -> int:
    """Print a line for each task; gives 0, or where nothing was added 2 for a bad file and 1 for a full disk."""
    from cbtui.core.problem import InvalidFile
    from cbtui.jobs.destination import find_destination

    console = plain_console()
    settings = {key: value for key in _SETTINGS if (value := getattr(arguments, key)) is not None}
    if problem := _misuse(arguments, settings):
        console.tell(f"cbtui add: {problem}")
        return exits.INVALID
    try:
        destination = find_destination(places.jobs, arguments.job)
    except ValueError as error:
        console.tell(f"cbtui add: {'the jobs directory' if arguments.job is None else '--job'}: {error}")
        return exits.INVALID
    try:
        added = _add(arguments, destination, settings, places.user_settings, console)
    except InvalidFile as error:
        console.tell(f"{error}\ncbtui add: nothing was added")
        return exits.INVALID
    except OSError as error:
        console.tell(f"cbtui add: {error.filename or 'stdin'}: {error.strerror}. Nothing was added.")
        return exits.FAILED
    for warning in dict.fromkeys(warning for each in added for warning in each.warnings):
        console.tell(f"warning: {warning}")
    for each in added:
        console.result(_line(each))
    return exits.DONE


def _misuse(arguments: argparse.Namespace, settings: Mapping[str, str | int]) -> str:
    """What is wrong with the arguments taken together, or nothing."""
    if "" in arguments.files:
        return "one of the names is empty, as an unset variable is"
    if _STDIN not in arguments.files:
        if settings:
            key, value = next(iter(settings.items()))
            return f"--{key} goes only with '-': write '{key}: {value}' into the file"
        if arguments.name is not None and len(arguments.files) > 1:
            return "--name goes with one file only"
    elif len(arguments.files) > 1:
        return "'-' stands alone: add the files in a call of their own"
    elif arguments.replace:
        return "--replace does not go with '-': a text from stdin always becomes a new file"
    return ""


def _add(
    arguments: argparse.Namespace,
    destination: Destination,
    settings: Mapping[str, str | int],
    user_settings: Path,
    console: Console,
) -> tuple[Added, ...]:
    from cbtui.jobs.adding import add_files
    from cbtui.jobs.adding_texts import add_text

    if arguments.files == [_STDIN]:
        text = _read_stdin(console)
        return (add_text(text, destination, name=arguments.name, settings=settings, user_settings=user_settings),)
    return add_files(
        [Path(file) for file in arguments.files],
        destination,
        name=arguments.name,
        replacing=arguments.replace,
        user_settings=user_settings,
    )


def _read_stdin(console: Console) -> str:
    """All of it. Raises InvalidFile where it is no text or too much, and OSError."""
    from cbtui.core.problem import InvalidFile, Problem
    from cbtui.jobs.adding_texts import TYPED
    from cbtui.jobs.safe_open import TEXT_LIMIT, decode, describe_size

    if sys.stdin is None:
        raise InvalidFile((Problem(TYPED, "is closed: pipe the text in, or name a file"),))
    if sys.stdin.isatty():
        console.tell("Type the text, end with Ctrl-D.")
    data = bytearray()
    while part := os.read(sys.stdin.fileno(), 1 << 20):
        data += part
        if len(data) > TEXT_LIMIT:
            raise InvalidFile((Problem(TYPED, f"is larger than {describe_size(TEXT_LIMIT)}: split it into parts"),))
    return decode(bytes(data), Path(TYPED))


def _line(added: Added) -> str:
    """One task, in the columns of `cbtui run`."""
    remark = " (is already in the jobs directory)" if added.outcome == "present" else ""
    return f"{added.outcome:<8} {added.task}  {added.path}{remark}"
