"""What the log says of one task, newest last."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from cbtui.tui.words import Words, fit


class TaskLog(ScrollView, can_focus=True):
    """Stays at the newest line as long as it stands there."""

    COMPONENT_CLASSES = {"log--dim", "log--warning", "log--error"}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    TaskLog { scrollbar-size-vertical: 1; overflow-x: hidden; }
    TaskLog > .log--dim { color: $text-muted; }
    TaskLog > .log--warning { color: $warning; }
    TaskLog > .log--error { color: $error; }
    """

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._lines: Sequence[str] = ()

    def show(self, lines: Sequence[str]) -> None:
        if lines == self._lines:
            return
        stays_at_end = self.is_vertical_scroll_end
        self._lines = lines
        self.virtual_size = Size(self.size.width, len(lines))
        if stays_at_end:
            self.scroll_end(animate=False)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.scroll_end(animate=False)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index = y + int(self.scroll_offset.y)
        text = self._lines[index] if index < len(self._lines) else ""
        if not self._lines and y == 0:
            text = "the end of the log says nothing of it"
        cut = self._words.plain("…")
        return Strip([Segment(fit(text, width, ellipsis=cut), self.rich_style + self._look_of(text))], width)

    def _look_of(self, text: str) -> Style:
        level = next((level for level in ("warning", "error") if f" {level.upper()} " in text), "dim")
        return Style(color=self.get_component_rich_style(f"log--{level}").color)
