"""The queue: any number of tasks, of which only the lines on screen are read and only changed lines are painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from cbtui.core.queue import TaskRow
from cbtui.core.status import STATES, State
from cbtui.host.estimates import Pace
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.widgets.queue_columns import BEFORE, bar_of, columns_for, left_of, what_of
from cbtui.tui.words import Words, fit

if TYPE_CHECKING:
    from cbtui.tui.app import CbtuiApp

# Lines read beyond both edges, so that a step of the cursor finds its line there.
_MARGIN = 30
# From so many lines on, the one above the tasks says what stands below it.
_WITH_HEADINGS = 10


class QueueList(ScrollView, can_focus=True, inherit_bindings=False):
    """A window on the queue. It says which part it wants, and shows what it is given."""

    COMPONENT_CLASSES = {  # noqa: RUF012 - Textual's own form
        "queue--cursor",
        "queue--marked",
        "queue--dim",
        *(f"queue--{state}" for state in STATES),
    }
    DEFAULT_CSS = """
    QueueList { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    QueueList > .queue--cursor { background: $block-cursor-blurred-background; }
    QueueList:focus > .queue--cursor { background: $block-cursor-background; }
    QueueList > .queue--marked { text-style: bold; color: $accent; }
    QueueList > .queue--dim { color: $text-muted; }
    QueueList > .queue--queued { color: $foreground; }
    QueueList > .queue--rendering { color: $primary; text-style: bold; }
    QueueList > .queue--done { color: $success; }
    QueueList > .queue--failed { color: $error; text-style: bold; }
    QueueList > .queue--invalid { color: $error; }
    QueueList > .queue--quarantined { color: $error; text-style: bold; }
    QueueList > .queue--blocked { color: $warning; }
    QueueList > .queue--paused { color: $warning; }
    QueueList > .queue--cancelled { color: $text-muted; }
    """

    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor stands on another task, or other lines are wanted."""

    class Opened(Message):
        """The person wants to see the task under the cursor."""

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._rows: dict[int, TaskRow] = {}
        self._total = 0
        self._pace = Pace({}, {})
        self._marked: set[str] = set()
        self._range_from: int | None = None
        # Until the person presses a key, the cursor stays with what comes first.
        self._was_moved = False
        self._painted: dict[int, tuple[object, ...]] = {}

    def _in_keys(self, text: str) -> str:
        return cast("CbtuiApp", self.app).in_keys(text)

    @property
    def wanted(self) -> tuple[int, int]:
        """The first line and the number of lines to read."""
        top = max(0, int(self.scroll_offset.y) - _MARGIN)
        return top, self.size.height + 2 * _MARGIN

    @property
    def _width(self) -> int:
        """Cells of a line, without the scrollbar."""
        return self.scrollable_content_region.width

    @property
    def _headings(self) -> int:
        """Lines above the tasks that stay where they are: one, or none where there is little room."""
        return int(self.size.height >= _WITH_HEADINGS and columns_for(self._width).bar > 0)

    @property
    def _seen(self) -> range:
        """The tasks on the screen, by their place in the queue."""
        top = int(self.scroll_offset.y)
        return range(top, top + self.size.height - self._headings)

    @property
    def current(self) -> TaskRow | None:
        """The task under the cursor."""
        return self._rows.get(self.cursor)

    @property
    def cursor_line(self) -> int:
        """On which line of the screen the cursor is."""
        return self.region.y + self.cursor - int(self.scroll_offset.y)

    @property
    def chosen(self) -> list[str]:
        """What an action is about: the marked tasks, else the one under the cursor."""
        if self._marked:
            return sorted(self._marked)
        return [self.current.id] if self.current else []

    @property
    def chosen_states(self) -> set[State]:
        """The states of those that were read with the lines on the screen."""
        chosen = set(self.chosen)
        return {row.state for row in self._rows.values() if row.id in chosen}

    def show(self, snapshot: Snapshot) -> None:
        """Take over a reading; only lines that look different are painted."""
        before = self.current
        self._rows = {snapshot.view.top + index: row for index, row in enumerate(snapshot.rows)}
        self._pace = snapshot.pace
        if snapshot.total != self._total:
            self._total = snapshot.total
            self._measure()
        self._follow(before)
        for task in self._seen:
            if self._painted.get(task) != self._look_of(task):
                self._paint(task)

    def _measure(self) -> None:
        self.virtual_size = Size(self._width, self._total + self._headings)

    def _paint(self, task: int) -> None:
        self.refresh_line(task + self._headings)

    def clear_marks(self) -> None:
        self._marked.clear()
        self._range_from = None
        self.refresh()

    def toggle_mark(self) -> None:
        """Mark or unmark the task under the cursor, and go on to the next."""
        row = self.current
        if row is None:
            return
        self._marked.symmetric_difference_update({row.id})
        self._range_from = self.cursor
        self.move(1)

    def mark_range(self) -> None:
        """Mark everything between the last mark and the cursor that has been read."""
        start = self.cursor if self._range_from is None else self._range_from
        low, high = sorted((start, self.cursor))
        self._marked.update(row.id for index, row in self._rows.items() if low <= index <= high)
        self.refresh()

    def hold(self) -> None:
        """From now on, keep the cursor on its task wherever that goes."""
        self._was_moved = True

    def move(self, lines: int) -> None:
        """Move the cursor; it stays inside."""
        self._was_moved = True
        self.cursor = max(0, min(self._total - 1, self.cursor + lines))

    def watch_cursor(self, before: int, now: int) -> None:
        self._paint(before)
        self._paint(now)
        self._keep_in_sight()
        self.post_message(self.Moved())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def on_resize(self, event: events.Resize) -> None:
        self._painted.clear()
        self._measure()
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._headings:
            return
        task = int(offset.y + self.scroll_offset.y) - self._headings
        if task < self._total:
            self._was_moved = True
            self.cursor = task
            if event.chain == 2:
                self.post_message(self.Opened())

    def _follow(self, before: TaskRow | None) -> None:
        """Keep the cursor on the task that the person put it on, where that is still in sight."""
        if not self._was_moved:
            return
        now = self.current
        if before is not None and (now is None or now.id != before.id):
            place = next((index for index, row in self._rows.items() if row.id == before.id), None)
            if place is not None:
                self.cursor = place
                return
        if self._total and self.cursor >= self._total:
            self.cursor = self._total - 1

    def _keep_in_sight(self) -> None:
        seen = self._seen
        if self.cursor < seen.start:
            self.scroll_to(y=self.cursor, animate=False)
        elif seen and self.cursor >= seen.stop:
            self.scroll_to(y=self.cursor - len(seen) + 1, animate=False)

    def _look_of(self, y: int) -> tuple[object, ...]:
        """All that decides how a line looks."""
        row = self._rows.get(y)
        if row is None:
            return ("empty",)
        left = left_of(row, self._pace)
        return (row.id, row.changed, y == self.cursor, row.id in self._marked, left, self._width, self.has_focus)

    def render_line(self, y: int) -> Strip:
        if y < self._headings:
            base = self.rich_style
            dim = base + _foreground(self.get_component_rich_style("queue--dim"))
            segments = [Segment(" " * BEFORE, base), Segment(columns_for(self._width).headings(), dim)]
            return Strip(segments).adjust_cell_length(self._width, base)
        line = y - self._headings + int(self.scroll_offset.y)
        self._painted[line] = self._look_of(line)
        if len(self._painted) > 10 * max(10, self.size.height):
            self._painted.clear()
        width = self._width
        row = self._rows.get(line)
        if row is None:
            text = fit("…" if line < self._total else "", width, ellipsis=self._words.plain("…"))
            return Strip([Segment(text, self.rich_style)], width)
        return self._strip(row, width, is_cursor=line == self.cursor)

    def _strip(self, row: TaskRow, width: int, *, is_cursor: bool) -> Strip:
        base = self.rich_style
        if is_cursor:
            base += Style(bgcolor=self.get_component_rich_style("queue--cursor").bgcolor)
        state = base + _foreground(self.get_component_rich_style(f"queue--{row.state}"))
        dim = base + _foreground(self.get_component_rich_style("queue--dim"))
        is_marked = row.id in self._marked
        name = base + _foreground(self.get_component_rich_style("queue--marked")) if is_marked else base
        columns = columns_for(width)
        mark = ("*" if self._words.ascii else "●") if is_marked else " "
        # Without colours, this alone tells where the cursor is.
        cursor = (">" if self._words.ascii else "❯") if is_cursor else " "
        cut = self._words.plain("…")
        segments = [Segment(cursor, base), Segment(f"{mark}{self._words.glyph(row.state)} ", state)]
        if columns.state:
            segments.append(Segment(fit(row.state, columns.state) + " ", state))
        segments.append(Segment(fit(row.id, columns.name, ellipsis=cut) + " ", name))
        if columns.model:
            segments.append(Segment(fit(row.model.rpartition("/")[2], columns.model, ellipsis=cut) + " ", dim))
        room = columns.what
        if columns.bar and (bar := bar_of(row, self._words, columns.bar)):
            segments.append(Segment(f"{bar} ", state))
        elif columns.bar:
            room += columns.bar + 1
        if room:
            segments.append(Segment(fit(what_of(row, room, self._in_keys), room, ellipsis=cut) + " ", dim))
        segments.append(Segment(f"{left_of(row, self._pace):>{columns.left}} ", dim))
        return Strip(segments).adjust_cell_length(width, base)


def _foreground(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, dim=style.dim, italic=style.italic, underline=style.underline)
