"""Moving line by line on screens that have one list, or one text, whatever widget shows it."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen


class Lines(Screen[Any]):
    """Has the widget with the focus move its cursor, or scroll where it has none."""

    def action_line_down(self) -> None:
        self._do("cursor_down", "scroll_down")

    def action_line_up(self) -> None:
        self._do("cursor_up", "scroll_up")

    def action_line_first(self) -> None:
        # Of a list, of a table, of a text; a table takes home for its first column.
        self._do("first", "scroll_top", "scroll_home")

    def action_line_last(self) -> None:
        self._do("last", "scroll_bottom", "scroll_end")

    def _do(self, *names: str) -> None:
        actions = (getattr(self.focused, f"action_{name}", None) for name in names)
        action = next((action for action in actions if action is not None), None)
        if action is not None:
            action()
