"""The queue: any number of tasks, of which only the lines on screen are read and only changed lines are painted."""

from __future__ import annotations

from dataclasses import dataclass

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
from cbtui.host.estimates import Pace, task_seconds
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.words import Words, fit, seconds_left

# Lines read beyond both edges, so that a step of the cursor finds its line there.
_MARGIN = 30
_NAME_LEAST = 16
_NAME_ENOUGH = 24


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths in cells; 0 leaves a column out."""

    state: int
    name: int
    model: int
    bar: int
    what: int
    left: int


def columns_for(width: int) -> _Columns:
    """What fits: the narrower the screen, the fewer columns."""
    state = 11 if width >= 72 else 0
    model = 14 if width >= 110 else 0
    bar = 20 if width >= 140 else 10 if width >= 50 else 0
    what = 26 if width >= 150 else 14 if width >= 90 else 8 if width >= 50 else 0
    left = 6
    fixed = 5 + sum(part + 1 for part in (state, model, bar, what, left) if part)
    name = max(_NAME_LEAST, width - fixed)
    if what and name > _NAME_ENOUGH:
        # Names are rarely longer; reasons are.
        what += (name - _NAME_ENOUGH) // 2
        name -= (name - _NAME_ENOUGH) // 2
    return _Columns(state, name, model, bar, what, left)


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
            self.virtual_size = Size(self._width, self._total)
        self._follow(before)
        top = int(self.scroll_offset.y)
        for y in range(top, top + self.size.height):
            if self._painted.get(y) != self._look_of(y):
                self.refresh_line(y)

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
        self.refresh_line(before)
        self.refresh_line(now)
        self._keep_in_sight()
        self.post_message(self.Moved())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def on_resize(self, event: events.Resize) -> None:
        self._painted.clear()
        self.virtual_size = Size(self._width, self._total)
        self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        line = -1 if offset is None else int(offset.y + self.scroll_offset.y)
        if 0 <= line < self._total:
            self._was_moved = True
            self.cursor = line
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
        top, height = int(self.scroll_offset.y), self.size.height
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif height and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False)

    def _look_of(self, y: int) -> tuple[object, ...]:
        """All that decides how a line looks."""
        row = self._rows.get(y)
        if row is None:
            return ("empty",)
        seconds = task_seconds(row, self._pace) if row.state in {"queued", "rendering"} else None
        left = None if seconds is None else seconds_left(seconds)
        return (row.id, row.changed, y == self.cursor, row.id in self._marked, left, self._width, self.has_focus)

    def render_line(self, y: int) -> Strip:
        line = y + int(self.scroll_offset.y)
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
        if columns.bar:
            segments.append(Segment(self._bar(row, columns.bar) + " ", state))
        if columns.what:
            segments.append(Segment(fit(_what(row), columns.what, ellipsis=cut) + " ", dim))
        segments.append(Segment(f"{self._left(row):>{columns.left}} ", dim))
        return Strip(segments).adjust_cell_length(width, base)

    def _bar(self, row: TaskRow, width: int) -> str:
        progress = row.progress
        if row.state == "rendering" or (row.state in {"queued", "paused", "blocked"} and progress.chunks_total):
            return self._words.bar(progress.chunks_done, progress.chunks_total, width)
        return " " * width

    def _left(self, row: TaskRow) -> str:
        if row.state == "done" and row.result is not None:
            return seconds_left(row.result.speech_seconds)
        if row.state in {"queued", "rendering"}:
            seconds = task_seconds(row, self._pace)
            return "" if seconds is None else seconds_left(seconds)
        return ""


def _what(row: TaskRow) -> str:
    """Chunks while it is rendered, the real-time factor when it is done, else why it stands where it stands."""
    result = row.result
    if row.state == "rendering" and not row.progress.chunks_total:
        return "preparing"
    if row.state == "rendering":
        return f"{row.progress.chunks_done}/{row.progress.chunks_total} {row.progress.tokens or ''}".rstrip()
    if row.state == "done" and result is not None:
        if result.speech_seconds and result.work_seconds and result.rendered:
            return f"RTF {result.work_seconds / result.speech_seconds:.2f}"
        return "up to date"
    if row.problems:
        return row.problems[0].message
    return row.reason


def _foreground(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, dim=style.dim, italic=style.italic, underline=style.underline)
