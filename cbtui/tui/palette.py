"""What the command palette offers: every action of the screen by its words, and every task by its name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.content import Content
from textual.types import IgnoreReturnCallbackType

from cbtui.core.clean import visible
from cbtui.paths import Places
from cbtui.tui.screens.queue import QueueScreen

if TYPE_CHECKING:
    from cbtui.core.queue import TaskRow
    from cbtui.tui.app import CbtuiApp

_MOST_TASKS = 20
# Of no use to a person who has a palette open.
_LEFT_OUT = ("command_palette", "back", "list_")


class Palette(CommandPalette):
    """Textual's own, with words of ours; its sign is an emoji, which terminals do not agree on the width of."""

    def __init__(self) -> None:
        super().__init__(placeholder="an action, or a task's name", id="--command-palette")

    def on_mount(self) -> None:
        self.query_one(SearchIcon).icon = "/"


class Actions(Provider):
    """The keys of the screen below and of the app, by what they do."""

    async def discover(self) -> Hits:
        for words, help_text, command in self._commands():
            yield DiscoveryHit(words, command, help=help_text)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for words, help_text, command in self._commands():
            score = matcher.match(words)
            if score > 0:
                yield Hit(score, matcher.highlight(words), command, help=help_text)
            elif query.casefold() in help_text.casefold():
                yield Hit(0.6, words, command, help=help_text)

    def _commands(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        """Words, what it does with its key, and what runs it. All of our own making, so markup does no harm."""
        app = cast("CbtuiApp", self.app)
        seen: set[str] = set()
        for node in (self.screen, app):
            for binding in Binding.make_bindings(type(node).BINDINGS):
                if binding.action in seen or not binding.description or binding.action.startswith(_LEFT_OUT):
                    continue
                seen.add(binding.action)
                help_text = f"{binding.tooltip or binding.description} ({app.key_of(binding.id or binding.action)})"
                yield binding.description, help_text, partial(app.run_action, binding.action, node)
        yield "screenshot", "save a picture of this screen as SVG", partial(app.set_timer, 0.1, app.deliver_screenshot)


class Tasks(Provider):
    """Every task whose name has what was typed in it, literally; choosing one opens it."""

    async def search(self, query: str) -> Hits:
        app = cast("CbtuiApp", self.app)
        rows = await asyncio.to_thread(_find, app.places, query)
        for number, row in enumerate(rows):
            # Below what the words of actions score, in the queue's order.
            score = 0.5 - number / 1000
            words = self._marked(row.id, query)
            yield Hit(score, words, partial(_open, app, row.id), text=row.id, help=f"open this task ({row.state})")

    def _marked(self, name: str, query: str) -> Content:
        content = Content(visible(name))
        at = name.casefold().find(query.casefold())
        # Letters that change their number with their case would move the mark.
        if at >= 0 and len(name.casefold()) == len(name) and self.match_style is not None:
            content = content.stylize(self.match_style, at, at + len(query))
        return content


def _find(places: Places, query: str) -> tuple[TaskRow, ...]:
    from cbtui.core.queue import Filter
    from cbtui.host.store import StoreError, attach_store, store_path

    try:
        with attach_store(store_path(places)) as store:
            return store.queue.window(limit=_MOST_TASKS, offset=0, only=Filter(text=query))
    except (StoreError, OSError):
        return ()


def _open(app: CbtuiApp, task: str) -> None:
    """Show the whole task; the queue behind it has the cursor there, if its filter lets the task through."""
    from cbtui.tui.screens.task import TaskScreen

    while not isinstance(app.screen, QueueScreen):
        app.pop_screen()
    app.screen.go_to(task)
    app.push_screen(TaskScreen(app.options.words, task))
