"""Every cache look-up, newest last: what was found, what it cost, what that saved."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from cbtui.core.clean import visible
from cbtui.core.events import CacheEvent, CacheLayer
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.words import Words, first_that_fits, fit, room_on_edge, seconds_left

if TYPE_CHECKING:
    from cbtui.engine.cache_log import LayerSum


# From so many cells on there is room for whole keys, and for the time of day.
_WIDE = 100
_WITH_CLOCK = 60
# Of a miss and of a hit, each where a terminal has such signs and where not.
_GLYPHS = (("○", "o"), ("✓", "+"))


class CacheLog(ScrollView, can_focus=True):
    """Stays at the newest line as long as it stands there. With `only` it shows the look-ups of that one alone."""

    COMPONENT_CLASSES = {"cache--hit", "cache--miss", "cache--dim"}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    CacheLog { height: 1fr; border: round $surface-lighten-2; border-title-color: $text-muted;
               scrollbar-size-vertical: 1; overflow-x: hidden; }
    CacheLog:focus { border: round $primary; }
    CacheLog > .cache--hit { color: $success; }
    CacheLog > .cache--miss { color: $warning; }
    CacheLog > .cache--dim { color: $text-muted; }
    """

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._all: tuple[tuple[int, CacheEvent], ...] = ()
        self._events: list[CacheEvent] = []
        self._sums: tuple[LayerSum, ...] = ()
        self._caption = ""
        self.only: CacheLayer | None = None
        self.border_title = "cache"

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.cache_events == self._all:
            return
        self._all = snapshot.cache_events
        self._sums = snapshot.cache_sums
        self._tell()
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        self._tell()

    def _tell(self) -> None:
        """Say on the edge what is shown, or what all look-ups came to in as many words as there is room for."""
        wordings = [self._caption] if self._caption else _titles(self._sums)
        room = room_on_edge(self.content_size.width)
        self.border_title = first_that_fits(map(self._words.plain, wordings), room)

    @property
    def caption(self) -> str:
        """What is shown, in a person's words; without them, the sums stand on the edge."""
        return self._caption

    @caption.setter
    def caption(self, caption: str) -> None:
        self._caption = caption
        self._tell()

    def show_only(self, layer: CacheLayer | None) -> None:
        """Show the look-ups of this layer; None means all."""
        self.only = layer
        self._fill()

    def _fill(self) -> None:
        stays_at_end = self.is_vertical_scroll_end
        self._events = [event for _, event in self._all if self.only in {None, event.layer}]
        self.virtual_size = Size(self.size.width, len(self._events))
        if stays_at_end:
            self.scroll_end(animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index = y + int(self.scroll_offset.y)
        width = self.scrollable_content_region.width
        base = self.rich_style
        if index >= len(self._events):
            what = f"each {self.only}" if self.only else "each model, voice and chunk"
            wordings = [f"no look-ups yet: {what} is looked up once it is needed", "no look-ups yet"]
            text = first_that_fits(wordings, width) if y == 0 and not self._events else ""
            return Strip([Segment(fit(text, width, ellipsis=self._words.plain("…")), base)], width)
        event = self._events[index]
        style = base + Style(color=self.get_component_rich_style("cache--hit" if event.hit else "cache--miss").color)
        dim = base + Style(color=self.get_component_rich_style("cache--dim").color)
        clock = datetime.fromtimestamp(event.at).strftime("%H:%M:%S")
        spent = f"saved {_seconds(event.saved)}" if event.hit else f"spent {_seconds(event.seconds)}"
        segments = [
            *([Segment(f"{clock} ", dim)] if width >= _WITH_CLOCK else []),
            Segment(f"{_GLYPHS[event.hit][self._words.ascii]} {'hit ' if event.hit else 'miss'} ", style),
            Segment(f"{event.layer:<5} ", base),
            Segment(f"{spent:<12} ", style),
        ]
        left = width - sum(segment.cell_length for segment in segments)
        key = event.key if width >= _WIDE else event.key[:8]
        if event.layer == "model" or not event.message:
            segments.append(Segment(self._cut(event.key if event.layer == "model" else key, left), dim))
        elif cell_len(visible(event.message)) + 1 + len(key) > left:
            segments.append(Segment(self._cut(event.message, left), base))
        else:
            segments.append(Segment(fit(event.message, left - len(key)), base))
            segments.append(Segment(visible(key), dim))
        return Strip(segments).adjust_cell_length(width, base)

    def _cut(self, text: str, width: int) -> str:
        """In so many cells; the number of a chunk stays readable behind a long name."""
        ellipsis = self._words.plain("…")
        name, mark, number = text.rpartition(" #")
        tail = mark + number
        if cell_len(text) <= width or not name or width <= len(tail) + 1:
            return fit(text, width, ellipsis=ellipsis)
        return fit(name, width - len(tail), ellipsis=ellipsis) + tail


def _titles(sums: tuple[LayerSum, ...]) -> list[str]:
    """What all look-ups came to, from many words to few: what they saved comes first and stays longest."""
    if not sums:
        return ["cache"]
    hits, misses = (_counted(sum(getattr(each, name) for each in sums), name) for name in ("hits", "misses"))
    saved, spent = (seconds_left(sum(getattr(each, f"seconds_{how}") for each in sums)) for how in ("saved", "spent"))
    return [
        f"cache: saved {saved} in {hits} · spent {spent} in {misses}",
        f"cache: saved {saved}, {hits}, {misses}",
        f"saved {saved}, {hits}, {misses}",
        f"cache: saved {saved}, {hits}",
        f"cache: saved {saved}",
        "cache",
    ]


def _counted(count: int, what: str) -> str:
    """`1 hit`, `2 hits`; `1 miss`, `2 misses`."""
    return f"{count} {what if count != 1 else what.removesuffix('es' if what == 'misses' else 's')}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 100 else seconds_left(seconds)
