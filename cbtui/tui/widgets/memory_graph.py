"""Memory over time on a fixed scale, from nothing to all there is: ours, others', and what is free above."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from cbtui.core.clean import visible
from cbtui.tui.words import Words, fit, gigabytes

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

    Own memory stands below, others' on top of it. While nothing is done and nothing changes, time stands still.
    """

    COMPONENT_CLASSES = {"memory--ours", "memory--others", "memory--free"}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    MemoryGraph { height: 6; border: round $surface-lighten-2; border-title-color: $text-muted; }
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
        ours = _ours(memory)
        total = memory.get("total_bytes") or 0
        self._add(_Sample(ours, memory.get("used_by_others_bytes") or 0, total, float(memory["at"])))
        title = self._title(memory, ours, total)
        if title != self.border_title:
            self.border_title = title
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

    def _title(self, memory: Mapping[str, Any], ours: int, total: int) -> str:
        where = visible(str(memory.get("gpu") or f"memory of the machine ({memory.get('device')})"))
        others = memory.get("used_by_others_bytes")
        parts = [where, f"cbtui {gigabytes(ours)}"]
        if others is not None:
            parts.append(f"others {gigabytes(others)}")
        if total:
            parts.append(f"of {gigabytes(total)}")
        if memory.get("utilisation_percent") is not None:
            parts.append(f"{memory['utilisation_percent']} % busy")
        if memory.get("temperature_celsius") is not None:
            parts.append(f"{memory['temperature_celsius']} °C")
        # A title is markup: what stands in it must not be able to open a tag.
        return self._words.plain(" · ".join(parts)).replace("[", "(").replace("]", ")")

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
