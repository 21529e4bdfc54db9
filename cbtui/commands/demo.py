"""`cbtui demo`: the whole line on the draft voice, with the examples that come along."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from cbtui.commands import exits
from cbtui.commands.run import render_files
from cbtui.console import plain_console
from cbtui.paths import Places

_PACKAGE = Path(__file__).resolve().parent.parent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fresh", action="store_true", help="render anew what an earlier demo left")


def run(arguments: argparse.Namespace, places: Places) -> int:
    from cbtui.host.rendering.modes import Modes

    examples = find_examples()
    if examples is None:
        plain_console().tell(f"cbtui demo: the examples are missing from {_PACKAGE}. Install cbtui again.")
        return exits.INVALID
    arguments.engine = "espeak"
    places = dataclasses.replace(places, jobs=examples)
    return render_files([], arguments, places, modes=Modes("new" if arguments.fresh else "last"))


def find_examples() -> Path | None:
    """The folder of examples: beside the package in a checkout, inside it in a wheel."""
    candidates = (_PACKAGE.parent / "jobs", _PACKAGE / "examples")
    return next((folder for folder in candidates if (folder / "dialogue.yaml").is_file()), None)
