"""Every cache look-up, newest last: what was found, what it cost, what that saved."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from cbtui.core.events import CacheEvent, CacheLayer
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.words import Words, fit, seconds_left

if TYPE_CHECKING:
    from cbtui.engine.cache_log import LayerSum


# From so many columns on there is room for whole keys.
_WIDE = 100


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
        self.only: CacheLayer | None = None
        self.border_title = "cache"

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.cache_events == self._all:
            return
        self._all = snapshot.cache_events
        self.border_title = self._words.plain(_title(snapshot.cache_sums))
        self._fill()

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
        width = self.content_size.width
        base = self.rich_style
        if index >= len(self._events):
            what = f"each {self.only}" if self.only else "each model, voice and chunk"
            text = f"no look-ups yet: {what} is looked up once it is needed" if y == 0 else ""
            text = fit("" if self._events else text, width, ellipsis=self._words.plain("…"))
            return Strip([Segment(text, base)], width)
        event = self._events[index]
        style = base + Style(color=self.get_component_rich_style("cache--hit" if event.hit else "cache--miss").color)
        dim = base + Style(color=self.get_component_rich_style("cache--dim").color)
        clock = datetime.fromtimestamp(event.at).strftime("%H:%M:%S")
        key = event.key if event.layer == "model" or width >= _WIDE else event.key[:8]
        spent = f"saved {_seconds(event.saved)}" if event.hit else f"spent {_seconds(event.seconds)}"
        segments = [
            Segment(f"{clock} ", dim),
            Segment(f"{'hit ' if event.hit else 'MISS'} ", style),
            Segment(f"{event.layer:<5} ", base),
            Segment(f"{spent:<13} ", style),
            Segment(fit(key, max(0, width - 35), ellipsis=self._words.plain("…")), dim),
        ]
        return Strip(segments).adjust_cell_length(width, base)


def _title(sums: tuple[LayerSum, ...]) -> str:
    hits, misses = sum(each.hits for each in sums), sum(each.misses for each in sums)
    saved, spent = sum(each.seconds_saved for each in sums), sum(each.seconds_spent for each in sums)
    return f"cache · {hits} hits saved {seconds_left(saved)} · {misses} misses spent {seconds_left(spent)}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}s" if seconds < 100 else seconds_left(seconds)
