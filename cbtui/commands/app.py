"""`cbtui [JOBS_DIR]`: the app. It hosts the folder, or attaches as a viewer where another process does."""

from __future__ import annotations

import argparse
import faulthandler
import gc
import logging
import os
from typing import TYPE_CHECKING

from cbtui.commands import exits
from cbtui.commands.missing import require
from cbtui.commands.stopping import StopSignal
from cbtui.commands.watch import in_folder, make_host, overrides_of, replace_process
from cbtui.console import claim_terminal, plain_console
from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.host.host import Host
    from cbtui.host.journal import Journal
    from cbtui.tui.app import Ending
    from cbtui.tui.hosting import Hosting

_GLANCE_SECONDS = 0.2
# Its own options that take one.
WITH_VALUE = frozenset({"--fps", "--theme"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="JOBS_DIR", help="the folder to serve (default: --jobs-dir)")
    parser.add_argument("--fps", type=float, default=5.0, metavar="N", help="how often the screen may change a second")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters alone")
    parser.add_argument("--theme", metavar="NAME", help="the colours: dark, light, ..., or a theme of yours; key: t")


def run(arguments: argparse.Namespace, places: Places) -> int:
    from cbtui.tui.terminal import NoTerminal, check_terminal, hand_over, is_congested

    require("textual", "psutil")
    # Collecting garbage among modules that stay takes a tenth of the time to the first paint (measured).
    gc.disable()
    places = in_folder(places, arguments.folder)
    try:
        check_terminal()
        console = claim_terminal(places.log, level=arguments.log_level)
    except NoTerminal as error:
        plain_console().tell(f"cbtui: {error}")
        return exits.INVALID
    except OSError as error:
        plain_console().tell(f"cbtui: the log {places.log} cannot be written: {error.strerror}. Choose --state-dir.")
        return exits.FAILED
    faulthandler.enable()
    hand_over(console)
    from cbtui.commands.journaling import log_entry
    from cbtui.tui.app import CbtuiApp, Ending, Options
    from cbtui.tui.colours import are_sixteen
    from cbtui.tui.hosting import Hosting, How
    from cbtui.tui.words import Words, speaks_ascii_only

    def make(journal: Journal, how: How) -> Host:
        return make_host(arguments, places, journal, screen=True, overrides=how.overrides, kept=how.kept)

    hosting = Hosting(places, make, log_entry, overrides_of(arguments))
    words = Words(ascii=arguments.ascii or speaks_ascii_only())
    options = Options(
        words,
        rate=min(30.0, max(0.2, arguments.fps)),
        notify=arguments.settings.notify,
        is_congested=is_congested,
        keymap=dict(arguments.settings.keys),
        settings=arguments.settings,
        given=arguments.given,
        theme=arguments.theme,
        sixteen=are_sixteen(),
    )
    app = CbtuiApp(places, hosting, options)
    ending = app.run() or Ending()
    if ending.said:
        console.tell(f"cbtui: {ending.said}")
    if ending.how == "headless":
        ending = _go_on_without_screen(hosting)
    hosting.stop()
    if ending.how == "restart":
        replace_process(console, {} if hosting.overrides == overrides_of(arguments) else hosting.overrides)
    logging.shutdown()
    # Threads inside of torch would hold up the interpreter's own end, and some abort in it.
    os._exit(128 + ending.signal if ending.signal else app.return_code or exits.DONE)


def _go_on_without_screen(hosting: Hosting) -> Ending:
    """Serve until a signal or the host itself ends it."""
    from cbtui.tui.app import Ending

    stopped = StopSignal()
    stopped.listen(hangup=False)
    host = hosting.host
    while host is not None and not stopped() and not host.wait(_GLANCE_SECONDS):
        pass
    if host is not None and host.restart_wanted and not stopped():
        return Ending("restart")
    return Ending(signal=stopped.number or 0)
