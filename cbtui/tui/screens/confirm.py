"""A question with a few answers, each a key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static


class Choice(ModalScreen[str | None]):
    """Gives the key of the answer, or None for escape. `answers` are (key, what it does)."""

    DEFAULT_CSS = """
    Choice { align: center middle; }
    Choice > Vertical { width: auto; max-width: 90%; height: auto; max-height: 90%; border: thick $primary;
                        background: $surface; padding: 1 2; }
    Choice Static { width: auto; max-width: 100%; }
    """

    def __init__(self, question: str, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._question = question
        self._answers = tuple(answers)

    def compose(self) -> ComposeResult:
        text = Text(self._question + "\n\n")
        for key, what in self._answers:
            text.append(f" {key} ", style="reverse bold")
            text.append(f"  {what}\n")
        text.append(" esc ", style="reverse")
        text.append("  go back")
        with Vertical():
            yield Static(text, markup=False)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(None)
        elif event.character in {key for key, _ in self._answers}:
            self.dismiss(event.character)
