"""Every key of the screen that it was opened from, and what the signs and figures of the queue mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from cbtui.core.status import State
from cbtui.tui.keys import Described, described, screen_bindings, split
from cbtui.tui.screens.lines import Lines
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.words import Words

_MEANINGS: Mapping[State, str] = {
    "rendering": "being rendered",
    "queued": "waits for its turn",
    "paused": "waits until you let it go on",
    "blocked": "waits for a cause to go: engine missing, disk full, memory short",
    "done": "its file is finished",
    "failed": "no seed helped, or another reason that is told",
    "quarantined": "its host died three times at the same chunk",
    "invalid": "its file has mistakes; mend it",
    "cancelled": "by hand, or its file was deleted",
}

# As they stand in the queue.
_FIGURES = (
    ("7/16", "chunks that are rendered, of all that the task has"),
    ("tokens", "of speech that the model drew so far; 25 make a second"),
    ("3m20 at 2x", "3 min 20 s of speech, rendered in half the time that it takes to hear it"),
    ("left", "how long it still takes, from what its model and voice took here before"),
)

# From so many columns on there is room for the names that a keymap goes by.
_WIDE = 96
# Cells, None for what is left, and style of each column.
_KEYS = ((11, "bold"), (None, ""))
_KEYS_WIDE = ((11, "bold"), (60, ""), (None, "dim"))
_STATES = ((1, "bold"), (11, ""), (None, "dim"))


class HelpScreen(Lines, Screen[None]):
    """Scrolls where it does not fit. `keymap` is the person's own: it shows the keys as they are for this person."""

    BINDINGS = [  # noqa: RUF012 - Textual's own form
        *screen_bindings("help"),
        Binding("question_mark", "back", show=False),
    ]
    AUTO_FOCUS = "VerticalScroll"
    DEFAULT_CSS = """
    HelpScreen VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    HelpScreen .heading { color: $primary; text-style: bold; margin-top: 1; }
    HelpScreen .heading.-first { margin-top: 0; }
    HelpScreen .note { color: $text-muted; margin-top: 1; }
    """

    def __init__(self, words: Words, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._words = words
        self._keymap = keymap
        self._groups: Described = []

    def compose(self) -> ComposeResult:
        below = self.app.screen_stack[-2]
        self._groups = described(None if isinstance(below, QueueScreen) else below.BINDINGS)
        with VerticalScroll():
            for number, (title, _) in enumerate(self._groups):
                yield Static(title, classes="heading" if number else "heading -first", markup=False)
                yield Static(id=f"group-{number}")
            yield Static("States", classes="heading", markup=False)
            states = ((self._words.glyph(state), state, meaning) for state, meaning in _MEANINGS.items())
            yield Static(_table(states, _STATES))
            yield Static("Figures", classes="heading", markup=False)
            yield Static(_table(_FIGURES, _KEYS))
            note = "Other keys: app.keys in settings.yaml, by the names in the last column of a wide screen."
            yield Static(note, classes="note", markup=False)
        yield KeyLine()

    def on_resize(self, event: events.Resize) -> None:
        for number, (_, actions) in enumerate(self._groups):
            rows = [(self._shown(keys, name), meaning, name) for name, keys, meaning in actions]
            columns = _KEYS_WIDE if event.size.width >= _WIDE else _KEYS
            table = _table((row[: len(columns)] for row in rows), columns)
            self.query_one(f"#group-{number}", Static).update(table)

    def _shown(self, keys: str, name: str) -> str:
        """`p  ctrl+p`, as the footer names them."""
        keys = self._keymap.get(name, keys)
        return "  ".join(self.app.get_key_display(Binding(key, "")) for key in split(keys))

    def action_back(self) -> None:
        self.dismiss()


def _table(rows: Iterable[tuple[str, ...]], columns: Iterable[tuple[int | None, str]]) -> Table:
    """Text in columns of (cells or what is left, style); all of it literal."""
    table = Table.grid(padding=(0, 1), expand=True)
    for width, style in columns:
        table.add_column(width=width, ratio=None if width else 1, style=style)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
