"""The command line. argparse, so that `--help` answers before anything else is installed or imported."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cbtui import __version__
from cbtui.commands import app, completion, exits, steer
from cbtui.commands.missing import MissingPackage, require
from cbtui.console import plain_console
from cbtui.core.task import ENGINES, MAX_BATCH, MODELS, PRECISIONS
from cbtui.paths import Places, find_places

_EPILOG = (
    "Exit status: 0 all done; 1 some task failed; 2 wrong usage or an invalid file; 3 engine unavailable; "
    "128+n ended by signal n."
)

# Each is a module of `cbtui.commands`, imported when it is needed: the screen waits for none of the others.
_COMMANDS: Mapping[str, str] = {
    "app": "the screen: a live queue, memory and caches; what cbtui does without a command",
    "run": "render task files and exit",
    "watch": "serve the jobs directory without a screen: render what is dropped into it",
    "add": "put tasks into the jobs directory, atomically",
    "status": "the queue, for people and for scripts",
    "doctor": "what would stop this machine from rendering, and the fix",
    "demo": "render the examples on the draft voice: no GPU, no weights, no network",
    "completion": "print a script that has a shell complete commands, options and names of tasks",
}
# Those that have commands of their own.
_GROUPS: Mapping[str, str] = {
    "bench": "what this machine makes of cbtui, in figures",
    "cache": "what the caches hold, explained, tested or cleared",
}


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of the whole command line, or of the part that concerns one command."""
    common = _common_options()
    parser = argparse.ArgumentParser(
        prog="cbtui",
        description="Renders text to speech with Chatterbox, loading the model once for all the work there is.",
        epilog=_EPILOG,
        parents=[common],
        # An abbreviation of one option would be read as another: --mode as --model.
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cbtui {__version__}")
    parser.add_argument("--explain-cache", action="store_true", help="the same as: cbtui cache explain")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Command)
    for name, text in {**_COMMANDS, **steer.VERBS, **_GROUPS}.items():
        if only not in {None, name}:
            continue
        command, module = _add_command(commands, common, name, text), _module(name)
        if name in steer.VERBS:
            module.add_arguments(command, name)
        elif name in _GROUPS:
            module.add_arguments(command, common)
        else:
            module.add_arguments(command)
    return parser


def _module(command: str) -> Any:
    return importlib.import_module(f"cbtui.commands.{'steer' if command in steer.VERBS else command}")


def _add_command(commands: Any, common: argparse.ArgumentParser, name: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, parents=[common], help=text, description=text, epilog=_EPILOG, allow_abbrev=False
    )
    return command


class _OwnOptions(argparse.HelpFormatter):
    """Leaves out what every command has: it would hide the few options that are a command's own."""

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Iterable[Any], prefix: str | None = None
    ) -> None:
        super().add_usage(usage, _own(actions), groups, prefix)

    def add_arguments(self, actions: Iterable[argparse.Action]) -> None:
        super().add_arguments(_own(actions))


class _Command(argparse.ArgumentParser):
    """The parser of a command, and of the commands below it."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**{**how, "formatter_class": _OwnOptions})
        common = "--jobs-dir, --engine, --model and other options that all commands have are told by cbtui --help."
        self.epilog = f"{common} {self.epilog or ''}".rstrip()


def _own(actions: Iterable[argparse.Action]) -> list[argparse.Action]:
    return [action for action in actions if not action.option_strings or action.dest not in _COMMON]


def _common_options() -> argparse.ArgumentParser:
    """Options that may stand before or after the command."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("common options")
    group.add_argument("--jobs-dir", metavar="DIR", help="the folder of task files (default: ./jobs)")
    group.add_argument("--output-dir", metavar="DIR", help="where finished files go (default: ./output)")
    group.add_argument("--state-dir", metavar="DIR", help="where logs and caches are kept (default: the user's)")
    group.add_argument("--engine", choices=ENGINES, help="render all tasks with this engine")
    group.add_argument("--model", choices=MODELS, help="render all tasks with this model")
    group.add_argument("--device", metavar="DEVICE", help="auto (default), cuda, cuda:1, mps or cpu")
    group.add_argument("--model-dir", metavar="DIR", help="a folder with the model's checkpoint; nothing is downloaded")
    group.add_argument("--precision", choices=PRECISIONS, help="exact (default), or fast: half the bytes to read")
    group.add_argument("--batch", metavar="N", type=_batch, help="chunks at once (default: what the device does best)")
    group.add_argument("--log-level", choices=("debug", "info", "warning", "error"), help="of the log file")
    return common


def _batch(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= MAX_BATCH:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_BATCH}, not {text!r}")
    return number


# What the user's settings know too, and what they do not.
_SETTINGS = ("jobs_dir", "output_dir", "state_dir", "device", "model_dir", "precision", "batch", "log_level")
_COMMON = (*_SETTINGS, "engine", "model")
# What every command imports, whichever set is installed.
_ALL_NEED = ("platformdirs", "pydantic", "yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit status."""
    if completion.is_asked_for():
        completion.answer(build_parser())
    given, only = _with_command(sys.argv[1:] if argv is None else list(argv))
    arguments = build_parser(only).parse_args(given, argparse.Namespace(**dict.fromkeys(_COMMON)))
    try:
        require(*_ALL_NEED)
        problem = _complete(arguments)
        if problem:
            plain_console().tell(problem)
            return exits.INVALID
        if arguments.explain_cache:
            explained: int = _module("cache").explain(arguments, _places(arguments))
            return explained
        status: int = _module(arguments.command).run(arguments, _places(arguments))
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return exits.FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except MissingPackage as error:
        plain_console().tell(f"cbtui {arguments.command or 'cache explain'}: {error}")
        return exits.INVALID
    return status


def _with_command(given: list[str]) -> tuple[list[str], str | None]:
    """The arguments with their command, and its name; None where all commands are concerned.

    Without a command it is the app; so is `cbtui FOLDER`. Exits where it is neither command nor folder.
    """
    values = {f"--{name.replace('_', '-')}" for name in _COMMON} | app.WITH_VALUE
    place = 0
    while place < len(given) and given[place].startswith("-"):
        if given[place] in {"-h", "--help", "--version", "--explain-cache"}:
            return given, None
        place += 2 if given[place] in values else 1
    names = [*_COMMANDS, *steer.VERBS, *_GROUPS]
    if place < len(given) and given[place] in names:
        return given, given[place]
    if place < len(given) and not os.path.isdir(given[place]):  # noqa: PTH112
        build_parser().error(f"{given[place]!r} is neither a command nor a folder; commands are {', '.join(names)}")
    # First, since it has options that the others have not.
    return ["app", *given], "app"


def _complete(arguments: argparse.Namespace) -> str:
    """Fill in what the command line left open from the user's settings; gives what is wrong with those, or nothing.

    The settings themselves become `arguments.settings`, and what the command line gave stays in `arguments.given`.
    """
    from cbtui.core.problem import InvalidFile
    from cbtui.settings import load_settings

    arguments.given = {name: value for name in _COMMON if (value := getattr(arguments, name)) is not None}
    try:
        settings = arguments.settings = load_settings(_places(arguments).user_settings)
    except InvalidFile as error:
        return str(error)
    for name in _SETTINGS:
        if getattr(arguments, name) is None:
            setattr(arguments, name, getattr(settings, name))
    if arguments.model_dir:
        # The shell leaves the tilde of --model-dir=~/x alone.
        arguments.model_dir = os.path.expanduser(arguments.model_dir)  # noqa: PTH111
    arguments.log_level = arguments.log_level or "info"
    return ""


def _places(arguments: argparse.Namespace) -> Places:
    return find_places(jobs=arguments.jobs_dir, output=arguments.output_dir, state=arguments.state_dir)
