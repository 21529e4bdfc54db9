"""Memory over time on a fixed scale, from nothing to all there is: ours, others', and what is free above."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from cbtui.core.clean import visible
from cbtui.tui.words import Words, first_that_fits, fit, gigabytes, room_on_edge

# A column for five seconds: half an hour fits on the widest screen, and a slow line has little to carry.
_SECONDS_A_COLUMN = 5.0
_KEPT = 400
# With less of a change than that there is nothing to see while nothing is done: a long rest costs a slow line nothing.
_BUSY_PERCENT, _DEGREES = 10, 5
_BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class _Sample:
    ours: int
    others: int
    total: int
    at: float


class MemoryGraph(Widget):
    """A column for every five seconds, newest right, each the highest of its time.

    The edge above tells how much is taken, the one below how busy the device is, in the words that there is room for.
    Own memory stands below, others' on top of it. While nothing is done and nothing changes, time stands still.
    """

    COMPONENT_CLASSES = {"memory--ours", "memory--others", "memory--free"}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    MemoryGraph { height: 6; border: round $surface-lighten-2; border-title-color: $text-muted;
                  border-subtitle-color: $text-muted; }
    MemoryGraph > .memory--ours { color: $primary; }
    MemoryGraph > .memory--others { color: $secondary; }
    MemoryGraph > .memory--free { color: $text-muted; }
    """

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._samples: deque[_Sample] = deque(maxlen=_KEPT)
        self._taken: Mapping[str, Any] = {}
        self._looked: tuple[tuple[int, int], ...] = ()
        self.border_title = "memory"

    def show(self, live: Mapping[str, Any]) -> None:
        """Take in the host's newest sample, if it is a new one."""
        memory = live.get("memory") or {}
        if not memory or memory.get("at") == self._taken.get("at"):
            return
        is_at_rest = not live.get("rendering") and not live.get("doing")
        if is_at_rest and self._taken and not self._differs(memory):
            return
        self._taken = memory
        total = memory.get("total_bytes") or 0
        self._add(_Sample(_ours(memory), memory.get("used_by_others_bytes") or 0, total, float(memory["at"])))
        self._tell()
        look = self._look()
        if look != self._looked:
            self._looked = look
            self.refresh()

    def _differs(self, memory: Mapping[str, Any]) -> bool:
        """Whether it looks otherwise than what was taken in last: by an eighth of a cell, or in the title."""
        last, total = self._taken, memory.get("total_bytes") or 0
        step = total / (8 * max(1, self.content_size.height))
        least = {"used_by_others_bytes": step, "utilisation_percent": _BUSY_PERCENT, "temperature_celsius": _DEGREES}
        return (
            total != (last.get("total_bytes") or 0)
            or abs(_ours(memory) - _ours(last)) > step
            or any(abs((memory.get(key) or 0) - (last.get(key) or 0)) > change for key, change in least.items())
        )

    def _add(self, sample: _Sample) -> None:
        last = self._samples[-1] if self._samples else None
        if last is None or sample.at - last.at >= _SECONDS_A_COLUMN:
            self._samples.append(sample)
        elif sample.ours + sample.others > last.ours + last.others:
            self._samples[-1] = replace(sample, at=last.at)

    def _look(self) -> tuple[tuple[int, int], ...]:
        """What decides the picture, in eighths of a cell."""
        width, height = self.content_size
        steps = 8 * max(1, height)
        return tuple(
            (round(each.ours / (each.total or 1) * steps), round(each.others / (each.total or 1) * steps))
            for each in list(self._samples)[-max(1, width) :]
        )

    def on_resize(self, event: events.Resize) -> None:
        if self._taken:
            self._tell()

    def _tell(self) -> None:
        """Say what was taken in last. Setting what stands there already would paint the edge anew."""
        title, subtitle = (self._in_edge(wordings) for wordings in (_amounts(self._taken), _vitals(self._taken)))
        if title != self.border_title:
            self.border_title = title
        if subtitle != self.border_subtitle:
            self.border_subtitle = subtitle

    def _in_edge(self, wordings: list[str]) -> str:
        said = first_that_fits(map(self._words.plain, wordings), room_on_edge(self.content_size.width))
        # A title is markup: what stands in it must not be able to open a tag.
        return said.replace("[", "(").replace("]", ")")

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        base = self.rich_style
        if not self._samples:
            text = "no samples yet" if y == 0 else ""
            return Strip([Segment(fit(text, width), base)], width)
        ours, others = (self._foreground(f"memory--{name}") for name in ("ours", "others"))
        level = height - 1 - y
        shown = list(self._samples)[-width:]
        segments = [Segment(" " * (width - len(shown)), base)]
        segments += [self._cell(sample, level, height, base + ours, base + others) for sample in shown]
        return Strip(segments, width).simplify()

    def _cell(self, sample: _Sample, level: int, height: int, ours: Style, others: Style) -> Segment:
        total = sample.total or max(1, sample.ours)
        low = sample.ours / total * height - level
        high = (sample.ours + sample.others) / total * height - level
        if low >= 1:
            return Segment(self._block(1.0), ours)
        if low > 0.06:
            return Segment(self._block(low), ours if high < low + 0.06 else ours + Style(bgcolor=others.color))
        return Segment(self._block(max(0.0, min(1.0, high))), others)

    def _block(self, share: float) -> str:
        if self._words.ascii:
            return "#" if share > 0.5 else " "
        return _BLOCKS[round(share * 8)]

    def _foreground(self, name: str) -> Style:
        return Style(color=self.get_component_rich_style(name).color)


def _ours(memory: Mapping[str, Any]) -> int:
    """Bytes of the GPU, or of the machine where there is none."""
    ours: int | None = memory.get("used_by_us_bytes")
    return memory["process_rss_bytes"] if ours is None else ours


def _amounts(memory: Mapping[str, Any]) -> list[str]:
    """How much is taken, from many words to few."""
    ours, others = gigabytes(_ours(memory)), memory.get("used_by_others_bytes")
    if memory.get("total_bytes"):
        ours, end = ours.removesuffix(" GB"), f" of {gigabytes(memory['total_bytes'])}"
    else:
        end = ""
    by_others = "" if others is None else f" + others {gigabytes(others).removesuffix(' GB' if end else '')}"
    both = f"cbtui {ours}{by_others}{end}"
    return [f"memory: {both}", both, f"memory: cbtui {ours}{end}", f"cbtui {ours}{end}", f"{ours}{end}"]


def _vitals(memory: Mapping[str, Any]) -> list[str]:
    """How busy and how warm it is and what it is called, from many words to none."""
    busy, warm = memory.get("utilisation_percent"), memory.get("temperature_celsius")
    parts = [f"{busy} % busy"] if busy is not None else []
    parts += [f"{warm} °C"] if warm is not None else []
    parts.append(visible(str(memory.get("gpu") or f"the machine ({memory.get('device')})")))
    return [" · ".join(parts[:count]) for count in range(len(parts), -1, -1)]
