"""Lines of text, a hundred thousand of them if need be: only those on screen are painted."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

# More than this is let go of, oldest first, a fifth at a time.
_KEPT = 100_000
# Nobody scrolls further to the right.
_WIDEST = 2000
_LEVEL = re.compile(r"^\S+ \S+ (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


class LogView(ScrollView, can_focus=True):
    """Follows what is added as long as it stands at the end. Lines must be clean; they are literal."""

    COMPONENT_CLASSES = {"log--dim", "log--warning", "log--error", "log--found", "log--current"}  # noqa: RUF012
    DEFAULT_CSS = """
    LogView { height: 1fr; overflow: auto scroll; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    LogView > .log--dim { color: $text-muted; }
    LogView > .log--warning { color: $warning; }
    LogView > .log--error { color: $error; }
    LogView > .log--found { background: $warning; color: $background; }
    LogView > .log--current { background: $block-cursor-background; }
    """

    class Moved(Message):
        """Other lines are in sight, or other lines are found."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: list[str] = []
        self._widest = 0
        self._sought = ""
        self._found: list[int] = []
        self._current: int | None = None

    @property
    def count(self) -> int:
        return len(self._lines)

    @property
    def found(self) -> tuple[int, int]:
        """The number of the found line that is current, from 1, or 0 without one; and how many there are."""
        current = 0 if self._current is None else bisect_left(self._found, self._current) + 1
        return current, len(self._found)

    def clear(self) -> None:
        self._lines.clear()
        self._widest = 0
        self._search(self._sought)
        self._measure()

    def add(self, lines: Iterable[str]) -> None:
        """Put lines behind the others."""
        follows = self.is_vertical_scroll_end
        before = len(self._lines)
        self._lines.extend(lines)
        for line in self._lines[before:]:
            self._widest = max(self._widest, len(line) if line.isascii() else cell_len(line))
        self._found += self._lines_with(self._sought, before)
        surplus = len(self._lines) - _KEPT
        if surplus > 0:
            self._let_go(surplus + _KEPT // 5)
        self._measure()
        if follows:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        self.refresh()

    def search(self, text: str) -> bool:
        """Look for this text as it is, in whatever case, from the top line in sight on; whether it is there."""
        self._search(text)
        return self.step(1, from_top=True)

    def step(self, by: int, *, from_top: bool = False) -> bool:
        """Go on to the next line that has it (-1: the one before), round the end if need be."""
        if not self._found:
            self.refresh()
            return False
        if self._current is None or from_top:
            place = bisect_left(self._found, int(self.scroll_offset.y)) - (by < 0)
        else:
            place = bisect_right(self._found, self._current) if by > 0 else bisect_left(self._found, self._current) - 1
        self._current = self._found[place % len(self._found)]
        self._bring_into_sight(self._current)
        self.refresh()
        return True

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def render_line(self, y: int) -> Strip:
        x, top = self.scroll_offset
        index = y + int(top)
        width = self.scrollable_content_region.width
        base = self.rich_style
        if index >= len(self._lines):
            return Strip.blank(width, base)
        if index == self._current:
            base += Style(bgcolor=self.get_component_rich_style("log--current").bgcolor)
        line = self._lines[index][: 2 * _WIDEST]
        return Strip(list(self._segments(line, base))).crop_extend(int(x), int(x) + width, base)

    def _segments(self, line: str, base: Style) -> Iterable[Segment]:
        style = base + Style(color=self._colour(line))
        if not self._sought:
            yield Segment(line, style)
            return
        found = self.get_component_rich_style("log--found")
        at = 0
        for match in re.finditer(re.escape(self._sought), line, re.IGNORECASE):
            yield Segment(line[at : match.start()], style)
            yield Segment(match[0], base + found)
            at = match.end()
        yield Segment(line[at:], style)

    def _colour(self, line: str) -> Color | None:
        match = _LEVEL.match(line)
        level = match[1] if match else ""
        name = {"DEBUG": "dim", "WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}.get(level)
        return self.get_component_rich_style(f"log--{name}").color if name else None

    def _search(self, text: str) -> None:
        self._sought = text
        self._current = None
        self._found = list(self._lines_with(text, 0))

    def _lines_with(self, text: str, start: int) -> Iterable[int]:
        wanted = text.lower()
        if not wanted:
            return []
        return [index for index in range(start, len(self._lines)) if wanted in self._lines[index].lower()]

    def _let_go(self, count: int) -> None:
        """Let go of the oldest lines; what is in sight stays in sight."""
        del self._lines[:count]
        self._found = [index - count for index in self._found if index >= count]
        if self._current is not None:
            self._current = self._current - count if self._current >= count else None
        self.scroll_to(y=max(0, self.scroll_offset.y - count), animate=False)

    def _measure(self) -> None:
        self.virtual_size = Size(min(self._widest, _WIDEST), len(self._lines))

    def _bring_into_sight(self, line: int) -> None:
        left, top = map(int, self.scroll_offset)
        width, height = self.scrollable_content_region.size
        if not top <= line < top + height:
            self.scroll_to(y=max(0, line - height // 2), animate=False)
        text = self._lines[line]
        begin = cell_len(text[: max(0, text.lower().find(self._sought.lower()))])
        end = begin + cell_len(self._sought)
        if not left <= begin <= end <= left + width:
            self.scroll_to(x=0 if end <= width else max(0, begin - width // 3), animate=False)
