"""The line of keys at the bottom: as many as there is room for, and always those that lead to the others, and out."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Footer

_ALWAYS = frozenset({"help", "quit", "back"})


class KeyLine(Footer):
    """A key that does not fit is left out whole, and with it all behind it but those that always stand there."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        # Textual keeps their class to itself.
        self._keys: list[Any] = []

    def compose(self) -> ComposeResult:
        # Keys that a keymap changed come last otherwise.
        order = [
            binding.action for node in (self.screen, self.app) for binding in Binding.make_bindings(type(node).BINDINGS)
        ]
        self._keys = sorted(super().compose(), key=lambda key: order.index(key.action) if key.action in order else -1)
        self._fit(self.app.size.width)
        yield from self._keys

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width)

    def _fit(self, width: int) -> None:
        # The last one has no blank behind it.
        room = width + 1 - sum(_cells(key) for key in self._keys if key.action in _ALWAYS)
        for key in self._keys:
            if key.action not in _ALWAYS:
                room -= _cells(key)
                key.display = room >= 0


def _cells(key: Any) -> int:
    return cell_len(f"{key.key_display} {key.description} ")
