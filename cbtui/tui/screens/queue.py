"""The screen that people live in: how is it going, at a glance, and every task a key away."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from cbtui.core.clean import visible
from cbtui.core.queue import Filter, Sort, TaskRow
from cbtui.core.status import STATES, State
from cbtui.tui.filtering import parse_filter
from cbtui.tui.keys import queue_bindings
from cbtui.tui.screens.opening import OpeningScreen
from cbtui.tui.snapshot import SORTS, Snapshot, View
from cbtui.tui.terminal import LEAST_COLUMNS, LEAST_LINES
from cbtui.tui.widgets.cache_log import CacheLog
from cbtui.tui.widgets.detail import Detail
from cbtui.tui.widgets.host_line import HostLine
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.widgets.memory_graph import MemoryGraph
from cbtui.tui.widgets.queue_list import QueueList
from cbtui.tui.words import Words, first_that_fits, seconds_left


class QueueScreen(OpeningScreen):
    BINDINGS = queue_bindings()
    AUTO_FOCUS = "QueueList"
    DEFAULT_CSS = """
    QueueScreen #body { height: 1fr; layout: vertical; }
    QueueScreen #list { height: 1fr; }
    QueueScreen #totals { height: 1; padding: 0 1; background: $boost; text-wrap: nowrap; text-overflow: ellipsis; }
    QueueScreen #filter { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    QueueScreen #side { height: 10; layout: horizontal; }
    QueueScreen.-tall #side { height: 14; }
    QueueScreen #detail { width: 1fr; height: 100%; }
    QueueScreen #right { width: 1fr; layout: vertical; }
    QueueScreen.-narrow #side { height: 9; }
    QueueScreen.-narrow #right { display: none; }
    QueueScreen.-wide #body, QueueScreen.-huge #body { layout: horizontal; }
    QueueScreen.-wide #list, QueueScreen.-huge #list { width: 3fr; height: 100%; }
    QueueScreen.-wide #side, QueueScreen.-huge #side { width: 2fr; height: 100%; layout: vertical; }
    QueueScreen.-wide #detail, QueueScreen.-huge #detail { width: 100%; height: auto; max-height: 50%; }
    QueueScreen.-wide #right, QueueScreen.-huge #right { width: 100%; height: 1fr; }
    QueueScreen.-huge #side { width: 3fr; layout: horizontal; }
    QueueScreen.-huge #detail { width: 1fr; max-height: 100%; height: 100%; }
    QueueScreen.-huge #right { width: 1fr; height: 100%; }
    QueueScreen.-low #side { display: none; }
    QueueScreen #small { display: none; width: 100%; height: 100%; content-align: center middle; }
    QueueScreen.-cursor-low ToastRack { dock: top; align: right top; }
    QueueScreen.-tiny #small, QueueScreen.-flat #small { display: block; }
    QueueScreen.-tiny #body, QueueScreen.-flat #body { display: none; }
    QueueScreen.-tiny Footer, QueueScreen.-flat Footer { display: none; }
    QueueScreen.-tiny HostLine, QueueScreen.-flat HostLine { display: none; }
    """
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own form
        (0, "-tiny"),
        (LEAST_COLUMNS, "-narrow"),
        (80, "-normal"),
        (120, "-wide"),
        (170, "-huge"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST_LINES, "-low"), (20, "-high"), (32, "-tall")]  # noqa: RUF012

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self._sort: Sort = "queue"
        self._said = ""
        self._sought: str | None = None
        # The task that was just added, until it is on the screen.
        self._added: str | None = None

    def compose(self) -> ComposeResult:
        yield HostLine(self.words, id="host")
        with Vertical(id="body"):
            with Vertical(id="list"):
                yield Static("", id="totals", markup=False)
                yield QueueList(self.words, id="queue")
            yield Horizontal(id="side")
        needs = f"cbtui needs {LEAST_COLUMNS} columns and {LEAST_LINES} lines"
        yield Static(needs, id="small", markup=False)
        yield Input(placeholder="words, state:failed, job:book", id="filter", select_on_focus=False)
        yield KeyLine()

    @property
    def queue(self) -> QueueList:
        return self.query_one(QueueList)

    @property
    def current(self) -> TaskRow | None:
        return self.queue.current

    @property
    def chosen(self) -> list[str]:
        return self.queue.chosen

    @property
    def chosen_states(self) -> set[State]:
        return self.queue.chosen_states

    @property
    def nothing(self) -> str:
        snapshot = self.cbtui.snapshot
        if snapshot.total:
            # They are being read.
            return ""
        if snapshot.view.only != Filter():
            return f"no task fits the filter: press {self.cbtui.key_of('clear')} to show all"
        return f"there is no task: press {self.cbtui.key_of('add')} to add one"

    def removed(self) -> None:
        self.queue.clear_marks()

    def on_key(self) -> None:
        self.queue.hold()

    def on_mount(self) -> None:
        # The queue is there a tenth of a second sooner without what stands beside it.
        self.call_after_refresh(self._fill_side)

    async def _fill_side(self) -> None:
        side = self.query_one("#side")
        if not side.is_attached:  # who leaves at once gets none
            return
        right = Vertical(MemoryGraph(self.words, id="memory"), CacheLog(self.words, id="cache"), id="right")
        await side.mount(Detail(self.words, id="detail"), right)
        self.show(self.cbtui.snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Take over a reading of the queue."""
        if not self.query(QueueList):
            # A reading that comes while the app closes.
            return
        self.queue.show(snapshot)
        if snapshot.view.find == self._sought:
            if snapshot.found is not None:
                self._go_on_to(snapshot)
            elif snapshot.is_sought_there and self._sought == self._added:
                self._tell_of_hidden()
        self._show_totals(self._totals(snapshot))
        self.query_one(HostLine).show(snapshot, starting=self.cbtui.is_starting)
        for detail in self.query(Detail):
            detail.show(snapshot)
        for graph in self.query(MemoryGraph):
            graph.show(snapshot.live)
        for cache in self.query(CacheLog):
            cache.show(snapshot)
        self._want()

    def _show_totals(self, wordings: list[str]) -> None:
        text = first_that_fits(wordings, self.query_one("#totals").content_size.width)
        if text != self._said:
            self._said = text
            # A border's title would have the whole list painted anew with every second that passes.
            self.query_one("#totals", Static).update(text, layout=False)

    def _totals(self, snapshot: Snapshot) -> list[str]:
        """How many tasks there are of each state, and what else there is to say of them: in words, and in signs."""
        counts = [(state, count) for state in STATES if (count := snapshot.counts.get(state))]
        others = []
        if snapshot.seconds_left:
            others.append(f"{seconds_left(snapshot.seconds_left)} left")
        if self._sort != "queue":
            others.append(f"by {self._sort}")
        typed = self.query_one("#filter", Input).value.strip()
        if typed:
            others.append(visible(f"{snapshot.total} fit “{typed}”"))
        in_words = [f"{count} {state}" for state, count in counts] or ["the queue is empty"]
        in_signs = [f"{self.words.glyph(state)} {count}" for state, count in counts] or in_words
        return [self.words.plain(" · ").join([*in_words, *others]), "  ".join([*in_signs, *others])]

    def _want(self) -> None:
        """Tell the feed which part of the queue is looked at."""
        top, height = self.queue.wanted
        current = self.queue.current
        only = parse_filter(self.query_one("#filter", Input).value)
        focus = current.id if current else None
        self.cbtui.feed.want(View(only, self._sort, top, height, focus, self._sought))

    def go_to(self, task: str) -> None:
        """Put the cursor on this task once it is there, if it fits the filter."""
        self._sought = task
        self._want()

    def _stay(self) -> None:
        """Keep the cursor on its task, also where others are shown from now on, and come back to it once it fits."""
        if self._sought is None and self.queue.current is not None:
            self._sought = self.queue.current.id
        self._want()

    def _tell_of_hidden(self) -> None:
        filtering = visible(self.query_one("#filter", Input).value.strip())
        self.notify(
            f"added {visible(self._sought or '')}; the filter “{filtering}” hides it (esc: show all)", markup=False
        )
        self._sought = self._added = None

    def _go_on_to(self, snapshot: Snapshot) -> None:
        """Move to the task that is sought; where it went elsewhere since it was found, the next reading tells."""
        listed = (snapshot.view.top + index for index, row in enumerate(snapshot.rows) if row.id == self._sought)
        self.queue.hold()
        self.queue.cursor = next(listed, snapshot.found or 0)
        if self.queue.current is not None and self.queue.current.id == self._sought:
            self._sought = self._added = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Their keys are heard before anything else; a field keeps them as letters.
        return action not in {"add", "filter"} or not isinstance(self.focused, Input)

    def on_queue_list_moved(self) -> None:
        self._want()
        # Notices keep out of the way of the line under the cursor.
        self.set_class(self.queue.cursor_line > self.size.height // 2, "-cursor-low")

    def on_queue_list_opened(self) -> None:
        self.action_open()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._stay()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.queue.focus()
        if not event.value.strip():
            event.input.display = False

    def _step(self, lines: int) -> None:
        """The person's own step: no task that appears later takes the cursor away."""
        self._sought = self._added = None
        self.queue.move(lines)

    def action_list_down(self) -> None:
        self._step(1)

    def action_list_up(self) -> None:
        self._step(-1)

    def action_list_page_down(self) -> None:
        self._step(max(1, self.queue.size.height - 1))

    def action_list_page_up(self) -> None:
        self._step(-max(1, self.queue.size.height - 1))

    def action_list_first(self) -> None:
        self._step(-(10**9))

    def action_list_last(self) -> None:
        self._step(10**9)

    def action_mark(self) -> None:
        if self.current is None:
            self.tell_nothing()
        self.queue.toggle_mark()

    def action_mark_range(self) -> None:
        if self.current is None:
            self.tell_nothing()
        self.queue.mark_range()

    def action_clear(self) -> None:
        self.queue.clear_marks()
        filtering = self.query_one("#filter", Input)
        filtering.value = ""
        filtering.display = False
        self.queue.focus()

    def action_filter(self) -> None:
        filtering = self.query_one("#filter", Input)
        filtering.display = True
        # At once: the next key is the first letter.
        self.set_focus(filtering)

    def action_sort(self) -> None:
        self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
        self._stay()

    def action_raise(self) -> None:
        self.ask_host("priority", by=1)

    def action_lower(self) -> None:
        self.ask_host("priority", by=-1)

    def action_move_up(self) -> None:
        self.ask_host("shift", by=-1)

    def action_move_down(self) -> None:
        self.ask_host("shift", by=1)

    def action_pause_queue(self) -> None:
        self.cbtui.feed.ask("resume" if self.cbtui.snapshot.paused else "pause")

    def action_take_over(self) -> None:
        self.cbtui.take_over()

    def action_open(self) -> None:
        current = self.queue.current
        if current is None:
            self.tell_nothing()
            return
        from cbtui.tui.screens.task import TaskScreen

        self.app.push_screen(TaskScreen(self.words, current.id))

    def action_add(self) -> None:
        from cbtui.tui.screens.add import AddScreen

        def added(tasks: tuple[str, ...] | None) -> None:
            if tasks:
                self._added = tasks[0]
                self.go_to(tasks[0])

        self.app.push_screen(AddScreen(self.words, self.cbtui.places), added)
