"""What cbtui and the libraries wrote: the end of the log, as it grows."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from cbtui.core.clean import visible
from cbtui.tui.keys import screen_bindings
from cbtui.tui.screens.lines import Lines
from cbtui.tui.tail import Read, Tail
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.widgets.log_view import LogView
from cbtui.tui.words import Words


class LogScreen(Lines, Screen[None]):
    BINDINGS = screen_bindings("log")
    AUTO_FOCUS = "LogView"
    DEFAULT_CSS = """
    LogScreen LogView { border: round $surface-lighten-2; border-title-color: $text-muted;
                        border-subtitle-color: $text-muted; }
    LogScreen LogView:focus { border: round $primary; }
    LogScreen #search { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    """

    def __init__(self, words: Words, path: Path) -> None:
        super().__init__()
        self._words = words
        self._path = path
        self._trouble = ""
        self._is_cut = False

    def compose(self) -> ComposeResult:
        yield LogView(id="log")
        yield Input(placeholder="words, as they are written", id="search")
        yield KeyLine()

    def on_mount(self) -> None:
        app = self.app
        self._tail = Tail(self._path, lambda read: app.call_later(self._take, read))
        self._tail.start()

    def on_unmount(self) -> None:
        self._tail.stop()

    @property
    def _view(self) -> LogView:
        return self.query_one(LogView)

    def _take(self, read: Read) -> None:
        if not self.is_attached:
            return
        self._trouble = read.trouble
        if read.anew:
            self._is_cut = read.cut
            self._view.clear()
        self._view.add(read.lines)
        self._say_where_it_is()

    @on(LogView.Moved)
    def _say_where_it_is(self) -> None:
        view = self._view
        view.border_title = Content(visible(str(self._path)))
        last = "the last " if self._is_cut else ""
        lines = self._trouble or f"{last}{view.count} {'line' if view.count == 1 else 'lines'}"
        parts = [lines, "follows" if view.is_vertical_scroll_end else "not at the end"]
        current, found = view.found
        if self.query_one(Input).value:
            parts.insert(0, f"{current} of {found} found" if found else "nothing found")
        view.border_subtitle = Content(self._words.plain(" · ".join(parts)))

    @on(Input.Submitted)
    def _seek(self, event: Input.Submitted) -> None:
        self._view.focus()
        self._view.search(event.value)
        event.input.display = bool(event.value)
        self._say_where_it_is()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Its key is heard before anything else; the field keeps it as a letter.
        return action != "search" or not isinstance(self.focused, Input)

    def action_search(self) -> None:
        field = self.query_one(Input)
        field.display = True
        # At once: the next key is the first letter.
        self.set_focus(field)

    def action_next(self) -> None:
        self._step(1)

    def action_previous(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        self._view.step(by)
        self._say_where_it_is()

    def action_first(self) -> None:
        self._view.scroll_home(animate=False)

    def action_last(self) -> None:
        self._view.scroll_end(animate=False)

    def action_back(self) -> None:
        """Out of the search first, then out of the screen."""
        field = self.query_one(Input)
        if not field.display:
            self.dismiss()
            return
        field.value = ""
        field.display = False
        self._view.search("")
        self._view.focus()
        self._say_where_it_is()
