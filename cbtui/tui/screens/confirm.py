"""A question with a few answers, each a key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

_KEY_CELLS = 5
# Of the border and the padding, on both sides.
_AROUND = 6
# Where a screen is too low for all answers.
_STEPS = {"down": 1, "up": -1, "pagedown": 5, "pageup": -5}


class Choice(ModalScreen[str | None]):
    """Gives the key of the answer, one of (key, what it does), or None for escape, which does what `back` says."""

    DEFAULT_CSS = """
    Choice { align: center middle; }
    Choice > VerticalScroll { max-width: 100%; height: auto; max-height: 100%; border: thick $primary;
                              background: $surface; padding: 1 2; scrollbar-size-vertical: 1; }
    Choice #question { margin-bottom: 1; }
    Choice.-low > VerticalScroll { padding: 0 2; }
    Choice.-narrow > VerticalScroll { padding: 0 1; }
    Choice.-low #question { margin-bottom: 0; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-normal")]  # noqa: RUF012 - Textual's own form
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high")]  # noqa: RUF012

    def __init__(self, question: str, answers: Sequence[tuple[str, str]], *, back: str = "go back") -> None:
        super().__init__()
        self._question = question
        self._answers = tuple(answers)
        self._back = back

    def compose(self) -> ComposeResult:
        answers = Table.grid(padding=(0, 1, 0, 0))
        answers.add_column(width=_KEY_CELLS)
        answers.add_column()
        for key, what in self._answers:
            answers.add_row(Text.assemble((f" {key} ", "reverse bold")), Text(what))
        answers.add_row(Text.assemble((" esc ", "reverse")), Text(self._back))
        with VerticalScroll() as box:
            yield Static(Text(self._question), id="question", markup=False)
            yield Static(answers, markup=False)
        box.styles.width = self._width

    @property
    def _width(self) -> int:
        """Cells with which no line is broken."""
        asked = max(map(cell_len, self._question.split("\n")))
        answered = max(map(cell_len, [self._back, *(what for _, what in self._answers)]))
        return max(asked, _KEY_CELLS + 1 + answered) + _AROUND

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(None)
        elif event.key in _STEPS:
            self.query_one(VerticalScroll).scroll_relative(y=_STEPS[event.key], animate=False)
        elif event.character in {key for key, _ in self._answers}:
            self.dismiss(event.character)
