"""`cbtui watch`: a host without a screen."""

from __future__ import annotations

import argparse
import dataclasses
import faulthandler
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cbtui.commands import exits
from cbtui.commands.engine_options import make_engines
from cbtui.commands.journaling import log_entry
from cbtui.commands.missing import require
from cbtui.commands.printing import Printer
from cbtui.commands.stopping import StopSignal
from cbtui.console import Console, claim_terminal, keep_log_small, notice, plain_console
from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.host.host import Host
    from cbtui.host.journal import Journal, JournalEntry
    from cbtui.settings import Notify, Settings

_GLANCE_SECONDS = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="JOBS_DIR", help="the folder to watch (default: --jobs-dir)")
    parser.add_argument("--log-json", action="store_true", help="each event as a line of JSON")


def run(arguments: argparse.Namespace, places: Places) -> int:
    require("psutil")
    places = in_folder(places, arguments.folder)
    stopped = StopSignal()
    # A host outlives the terminal it was started in.
    stopped.listen(hangup=False)
    try:
        console = claim_terminal(places.log, level=arguments.log_level)
    except OSError as error:
        plain_console().tell(f"cbtui: the log {places.log} cannot be written: {error.strerror}. Choose --state-dir.")
        return exits.FAILED
    faulthandler.enable()
    status = _serve(arguments, places, console, stopped)
    # Threads inside of torch would hold up the interpreter's own end, and some abort in it.
    logging.shutdown()
    os._exit(status)


def _serve(arguments: argparse.Namespace, places: Places, console: Console, stopped: StopSignal) -> int:
    from cbtui.host.lock import HostRunning
    from cbtui.host.store import StoreError

    printer = Printer(console)
    host = make_host(arguments, places, _Journal(console, printer, arguments))
    try:
        host.start()
    except HostRunning as error:
        console.tell(f"cbtui watch: {error}")
        return exits.UNAVAILABLE
    except StoreError as error:
        console.tell(f"cbtui watch: {error}")
        return exits.FAILED
    except OSError as error:
        console.tell(f"cbtui watch: {error.filename}: {error.strerror}")
        return exits.FAILED
    while not stopped() and not host.wait(_GLANCE_SECONDS):
        pass
    host.stop()
    printer.close()
    if host.restart_wanted and not stopped():
        replace_process(console)
    return exits.DONE if stopped.number is None else 128 + stopped.number


def in_folder(places: Places, folder: str | None) -> Places:
    """The same places, with another jobs directory if one is named."""
    if folder is None:
        return places
    return dataclasses.replace(places, jobs=Path(os.path.abspath(os.path.expanduser(folder))))  # noqa: PTH100, PTH111


def overrides_of(arguments: argparse.Namespace) -> Mapping[str, str]:
    """Settings of the command line that hold for every task."""
    return {key: value for key in ("engine", "model") if (value := getattr(arguments, key))}


def make_host(
    arguments: argparse.Namespace,
    places: Places,
    journal: Journal,
    *,
    screen: bool = False,
    overrides: Mapping[str, str] | None = None,
    kept: Mapping[str, str] | None = None,
) -> Host:
    """The host that the command line and the user's settings describe; `overrides` take the command line's place."""
    from cbtui.host.host import Host

    settings: Settings = arguments.settings
    engines = make_engines(arguments, places)
    return Host(
        engines,
        options=settings.host,
        overrides=overrides_of(arguments) if overrides is None else overrides,
        kept=kept,
        journal=journal,
        screen=screen,
        every_second=lambda: keep_log_small(places.log),
    )


def replace_process(console: Console, overrides: Mapping[str, str] | None = None) -> None:
    """Start this very command anew in this process's place, with the streams that it was given.

    `overrides` are what the person has chosen since in the place of options.
    """
    given = sys.orig_argv[1:]
    os.dup2(console.out.fileno(), 1)
    os.dup2(console.err.fileno(), 2)
    # The last of two options counts.
    options = [option for name, value in (overrides or {}).items() if (option := f"--{name}={value}") not in given]
    os.execv(sys.executable, [sys.executable, *given, *options])  # noqa: S606 - no shell is wanted


class _Journal:
    """Every entry goes to the log, and as a line to whoever reads stdout."""

    def __init__(self, console: Console, printer: Printer, arguments: argparse.Namespace) -> None:
        self._console = console
        self._printer = printer
        self._as_json = arguments.log_json
        self._notify: Notify = arguments.settings.notify if console.err.isatty() else "off"

    def __call__(self, entry: JournalEntry) -> None:
        from cbtui.core.clean import visible
        from cbtui.host.journal import WORTH_A_NOTICE

        log_entry(entry)
        self._printer.print(entry.json() if self._as_json else visible(entry.line()))
        if entry.kind in WORTH_A_NOTICE:
            self._console.draw(notice(self._notify, entry.kind, entry.task))
