"""The app: it ties the feed, the host and the screens together, and ends in order whatever ends it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from textual.app import App
from textual.binding import Binding
from textual.filter import LineFilter
from textual.notifications import Notify as Notified
from textual.notifications import SeverityLevel

from cbtui.actions import actions
from cbtui.console import notice
from cbtui.core.advice import in_keys
from cbtui.core.clean import visible
from cbtui.paths import Places
from cbtui.settings import Notify, Settings
from cbtui.tui.asking import about_leaving, about_options, farewell
from cbtui.tui.colours import SixteenColours
from cbtui.tui.drafting import Kept
from cbtui.tui.drawing import AsciiDrawing
from cbtui.tui.feed import Feed
from cbtui.tui.hosting import Hosting
from cbtui.tui.keys import app_bindings, clashes, in_ascii
from cbtui.tui.messages import HostAnswered, HostEnded, HostStarted, HostTold, OptionsFoundChanged, QueueRead
from cbtui.tui.notices import SEEN_IN_QUEUE, Notices
from cbtui.tui.palette import Actions, Palette, Tasks
from cbtui.tui.screens.base import LiveScreen
from cbtui.tui.screens.confirm import Choice
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.themes import Colours
from cbtui.tui.words import Words


@dataclass(frozen=True, slots=True)
class Ending:
    """How the screen ended: the host goes with it, or stays without it; `signal` is the number that ended it.

    `said` is for whoever is at the terminal then.
    """

    how: Literal["quit", "headless", "restart"] = "quit"
    signal: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the settings say about the screen. `rate`: readings a second, at most.

    `notify` says how the terminal is told that a task failed or that nothing is left. `is_congested` tells whether the
    terminal still has to take in what it was sent. `keymap` is by the ids of actions; `given` are the common options of
    the command line, `theme` is that of the command line. `sixteen` says that the terminal has no more colours.
    """

    words: Words = field(default_factory=Words)
    rate: float = 5.0
    notify: Notify = "off"
    is_congested: Callable[[], bool] = lambda: False
    keymap: dict[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    given: Mapping[str, str] = field(default_factory=dict)
    theme: str | None = None
    sixteen: bool = False


class CbtuiApp(App[Ending]):
    TITLE = "cbtui"
    BINDINGS = app_bindings()
    COMMANDS = {Actions, Tasks}  # noqa: RUF012 - Textual's own form
    # In Textual's own style some of these cannot be read in every theme, and some cannot be told from what lies below.
    CSS = """
    Screen { layers: base; }
    SearchIcon { color: $text-muted; }
    Input > .input--placeholder, Input > .input--suggestion { color: $foreground 65%; }
    TextArea > .text-area--placeholder { color: $foreground 65%; }
    Toast { background: $panel; }
    CommandPalette #--input { border: hkey $surface-lighten-2; }
    CommandPalette #--input.--list-visible { border-bottom: none; }
    CommandList { scrollbar-size-vertical: 1; border-bottom: hkey $surface-lighten-2; }
    """

    def __init__(self, places: Places, hosting: Hosting, options: Options | None = None) -> None:
        super().__init__()
        self.places = places
        self.options = options or Options()
        self.feed = Feed(places, self.post_message, rate=self.options.rate, is_congested=self.options.is_congested)
        self.snapshot = Snapshot()
        self.kept = Kept()
        self._notices = Notices()
        self.is_starting = True
        self._hosting = hosting
        self._queue = QueueScreen(self.options.words)
        self.colours = Colours(self, places, given=self.options.theme, setting=self.options.settings.theme)
        self._filters_of_terminal: list[LineFilter] = [
            *([AsciiDrawing()] if self.options.words.ascii else []),
            *([SixteenColours()] if self.options.sixteen else []),
        ]

    def get_default_screen(self) -> QueueScreen:
        return self._queue

    def on_mount(self) -> None:
        self.set_keymap(self.options.keymap)
        if found := clashes(self.options.keymap):
            self.notify("\n".join(found), severity="warning", markup=False, timeout=15)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.exit, Ending(signal=number))
        # The terminal is gone: the work goes on without it.
        loop.add_signal_handler(signal.SIGHUP, self._go_on_without_terminal)
        self.feed.start()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """After the first paint, which the host's imports would hold up."""
        gc.freeze()
        gc.enable()
        self._hosting.start(self.post_message)
        self.colours.watch()

    def _go_on_without_terminal(self) -> None:
        hosts = self._hosting.host is not None
        self.exit(Ending(how="headless") if hosts else Ending(signal=signal.SIGHUP))

    def on_queue_read(self, message: QueueRead) -> None:
        if not self.is_running:
            # The screens are being taken down.
            return
        self.snapshot = message.snapshot
        for screen in self.screen_stack:
            if isinstance(screen, LiveScreen) and screen.is_mounted and screen.is_attached:
                screen.show(message.snapshot)

    def on_notify(self, message: Notified) -> None:
        self._notices.take(message.notification)

    def on_host_answered(self, message: HostAnswered) -> None:
        is_seen = message.verb in SEEN_IN_QUEUE and self.screen is self._queue and self.snapshot.view.sort == "queue"
        if is_seen and not message.refused:
            return
        severity: SeverityLevel = "warning" if message.refused else "information"
        self.notify(self.in_keys(message.text), severity=severity, markup=False, timeout=4)

    def _started(self) -> None:
        self.is_starting = False
        # Of a start that came to nothing, no reading tells.
        self._queue.show(self.snapshot)

    def on_host_started(self, message: HostStarted) -> None:
        self._started()
        if message.trouble:
            self.notify(message.trouble, severity="error", markup=False, timeout=15)

    def on_options_found_changed(self, message: OptionsFoundChanged) -> None:
        question, hows = about_options(message.changed)

        def answered(answer: str | None) -> None:
            if answer is None:
                self._started()
            else:
                self._hosting.start(self.post_message, how=hows[answer])

        self.push_screen(question, answered)

    def on_host_told(self, message: HostTold) -> None:
        entry = message.entry
        sequence = notice(self.options.notify, entry.kind, entry.task)
        if sequence and self._driver is not None:
            # Textual has a method for the bell alone.
            self._driver.write(sequence)
        # Warnings are about a text, such as a speaker that it does not have, or about where things go.
        if entry.level == "error" or (entry.level == "warning" and entry.kind == "notice"):
            is_error = entry.level == "error"
            self.notify(
                self.in_keys(entry.message),
                title=visible(entry.task) if is_error else "",  # a warning begins with it
                severity="error" if is_error else "warning",
                markup=False,
                timeout=10,
            )

    def on_host_ended(self, message: HostEnded) -> None:
        host = self._hosting.host
        if host is not None and host.restart_wanted:
            self.exit(Ending(how="restart"))
        else:
            self._quit()

    def take_over(self) -> None:
        """Host the folder, where nobody does."""
        if self.snapshot.holder is None and not self.is_starting:
            self.is_starting = True
            self._hosting.start(self.post_message, taking_over=True)
        else:
            self.notify("this folder has a host already", markup=False)

    def key_of(self, action: str) -> str:
        """What the first key of an action is called, as the person has set it."""
        keys = self.options.keymap.get(action, actions()[action].keys)
        return self.get_key_display(Binding(keys.partition(",")[0], ""))

    def in_keys(self, text: str) -> str:
        """A message for the screen: what it advises is a key here."""
        return visible(in_keys(text, self.key_of))

    def action_help_quit(self) -> None:
        """Ctrl-C, which copies where something is marked: say what leaves, by the person's own key."""
        self.notify(f"press {self.key_of('quit')} to quit", markup=False)

    def get_key_display(self, binding: Binding) -> str:
        """What a key is called on the screen."""
        plain = in_ascii(binding.key) if self.options.words.ascii else None
        return plain or super().get_key_display(binding)

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_help(self) -> None:
        from cbtui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.options.words, self.options.keymap))

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._filters_of_terminal]

    async def action_quit(self) -> None:
        """Leave; with a text that was typed and not added, ask whether."""

        def answered(answer: str | None) -> None:
            if answer == "y":
                self._leave()

        screens = [screen for screen in self.screen_stack if isinstance(screen, LiveScreen)]
        if self.kept.draft is None and not any(screen.unsaved for screen in screens):
            self._leave()
        else:
            self.push_screen(Choice("The text that you typed is not added yet.", [("y", "leave without it")]), answered)

    def _leave(self) -> None:
        """With work of this process, ask how."""
        holder = self.snapshot.holder
        is_idle = not self.snapshot.waiting and not self.snapshot.counts.get("blocked")
        if holder is None or holder.pid != os.getpid() or is_idle:
            self._quit()
            return

        def answered(answer: str | None) -> None:
            if answer == "s":
                self._quit()
            elif answer == "h":
                self.exit(Ending(how="headless", said=farewell(self.snapshot, headless=True)))
            elif answer == "f":
                self.feed.ask("stop", after_chunk=True)

        self.push_screen(about_leaving(self.snapshot), answered)

    def _quit(self) -> None:
        self.exit(Ending(said=farewell(self.snapshot)))
