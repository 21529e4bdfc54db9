"""A sound over time on a fixed scale, from full scale down to full scale up, in dots or in ASCII."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from cbtui.core.durations import format_seconds
from cbtui.tui.opened import Sound
from cbtui.tui.words import Words, fit

if TYPE_CHECKING:
    from cbtui.audio.peaks import Peaks

# Dots of a braille cell: U+2800 plus these, left column and right column from the top down (Unicode 16, chapter 21.1).
_LEFT = (0x01, 0x02, 0x04, 0x40)
_RIGHT = (0x08, 0x10, 0x20, 0x80)
# How much of a cell is filled, where there are no dots.
_FILLED = " .:#"
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000)
_LABEL_CELLS = 9
_LINES_WITH_AXIS = 3


class Waveform(Widget):
    """The least and the greatest sample of every moment, whatever is in sight; a stretch of it can be marked."""

    COMPONENT_CLASSES = {"wave--sound", "wave--marked", "wave--dim"}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    Waveform { height: 5; }
    Waveform > .wave--sound { color: $primary; }
    Waveform > .wave--marked { color: $accent; text-style: bold; }
    Waveform > .wave--dim { color: $text-muted; }
    """

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._sound: Sound | None = None
        self._instead = ""
        self._marked: tuple[float, float] | None = None
        self._lines: list[str] = []

    def show(self, sound: Sound | None, instead: str = "") -> None:
        """Show a sound, or say `instead` why there is none."""
        if (sound, instead) != (self._sound, self._instead):
            self._sound, self._instead = sound, instead
            self._draw()

    def mark(self, begins: float | None, seconds: float | None) -> None:
        """Mark a stretch of the sound, or nothing."""
        marked = None if begins is None or seconds is None else (begins, begins + seconds)
        if marked != self._marked:
            self._marked = marked
            self.refresh()

    @property
    def title(self) -> str:
        """How long it is, and what it is of."""
        if self._sound is None:
            return self._words.plain("sound")
        return self._words.plain(f"sound · {format_seconds(self._sound.peaks.seconds)} · {self._sound.of}")

    def on_resize(self, event: events.Resize) -> None:
        self._draw()

    def _draw(self) -> None:
        width, height = self.content_size
        self._lines = []
        if self._sound is not None and width and height:
            with_axis = height >= _LINES_WITH_AXIS
            draw = ascii_wave if self._words.ascii else dotted_wave
            self._lines = draw(self._sound.peaks, width, height - with_axis)
            if with_axis:
                self._lines.append(time_axis(self._sound.peaks.seconds, width, "|" if self._words.ascii else "▏"))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        base = self.rich_style
        dim = base + self._foreground("wave--dim")
        if not self._lines:
            text = self._instead if y == (height - 1) // 2 else ""
            return Strip([Segment(fit(text, width, ellipsis=self._words.plain("…")), dim)], width)
        if y >= len(self._lines):
            return Strip.blank(width, base)
        line = self._lines[y]
        if height >= _LINES_WITH_AXIS and y == height - 1:
            return Strip([Segment(line, dim)], width)
        begin, end = self._marked_cells(width)
        sound, marked = (base + self._foreground(f"wave--{name}") for name in ("sound", "marked"))
        parts = ((line[:begin], sound), (line[begin:end], marked), (line[end:], sound))
        return Strip([Segment(text, style) for text, style in parts if text], width)

    def _marked_cells(self, width: int) -> tuple[int, int]:
        if self._marked is None or self._sound is None or not self._sound.peaks.seconds:
            return 0, 0
        begin, end = (int(at / self._sound.peaks.seconds * width) for at in self._marked)
        return begin, max(begin + 1, end)

    def _foreground(self, name: str) -> Style:
        style = self.get_component_rich_style(name)
        return Style(color=style.color, bold=style.bold)


def dotted_wave(peaks: Peaks, width: int, height: int) -> list[str]:
    """`height` lines of `width` braille cells, each two dots wide and four high."""
    rows = 4 * height
    spans = []
    for low, high in columns_of(peaks, 2 * width):
        top = min(rows - 1, int((1 - high) / 2 * rows))
        spans.append((top, max(top, math.ceil((1 - low) / 2 * rows) - 1)))
    return ["".join(_cell(spans[2 * cell : 2 * cell + 2], 4 * line) for cell in range(width)) for line in range(height)]


def ascii_wave(peaks: Peaks, width: int, height: int) -> list[str]:
    """`height` lines of `width` characters, the fuller the more of their cell is filled."""
    lines = [""] * height
    for low, high in columns_of(peaks, width):
        top, bottom = (1 - high) / 2 * height, (1 - low) / 2 * height
        for line in range(height):
            share = min(bottom, line + 1) - max(top, line)
            is_line = top == bottom and line == min(height - 1, int(top))
            lines[line] += "-" if is_line else _FILLED[math.ceil(max(0.0, share) * 3)]
    return lines


def columns_of(peaks: Peaks, count: int) -> list[tuple[float, float]]:
    """The least and the greatest sample of `count` parts of equal length, each within full scale."""
    parts = len(peaks.lows)
    if not parts:
        return [(0.0, 0.0)] * count
    columns = []
    for column in range(count):
        start = column * parts // count
        end = max(start + 1, (column + 1) * parts // count)
        columns.append((max(-1.0, min(peaks.lows[start:end])), min(1.0, max(peaks.highs[start:end]))))
    return columns


def time_axis(seconds: float, width: int, tick: str) -> str:
    """Times at round places, in `width` cells."""
    step = next((step for step in _STEPS if seconds and step / seconds * width >= _LABEL_CELLS), None)
    if step is None:
        return " " * width
    line = ""
    for number in range(int(seconds / step) + 1):
        label = tick + _clock(number * step, step)
        place = int(number * step / seconds * width)
        if place + len(label) <= width:
            line = line.ljust(place) + label
    return line.ljust(width)


def _clock(seconds: float, step: float) -> str:
    """`0.5` for steps below a second, else `1:05` or `1:02:30`."""
    if step < 1:
        return f"{seconds:.1f}"
    whole = round(seconds)
    minutes = f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes.removeprefix("0")


def _cell(spans: Sequence[tuple[int, int]], top: int) -> str:
    """The braille cell whose first row of dots is `top`; spans are first and last row of a column."""
    dots = 0
    for (first, last), bits in zip(spans, (_LEFT, _RIGHT), strict=True):
        for row, bit in enumerate(bits, start=top):
            if first <= row <= last:
                dots |= bit
    return chr(0x2800 + dots)
