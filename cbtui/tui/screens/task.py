"""One task on a screen of its own: all facts, its chunks, how it sounds, what the log says."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from cbtui.core.clean import visible
from cbtui.core.queue import TaskRow
from cbtui.tui.keys import screen_bindings
from cbtui.tui.messages import TaskRead
from cbtui.tui.opened import TaskFacts
from cbtui.tui.screens.acting import ActingScreen
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.task_feed import TaskFeed
from cbtui.tui.widgets.chunks import ChunkList
from cbtui.tui.widgets.detail import (
    Facts,
    as_table,
    describe,
    describe_excerpt,
    describe_notes,
    describe_run,
    summarise,
)
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.widgets.task_log import TaskLog
from cbtui.tui.widgets.waveform import Waveform
from cbtui.tui.words import Words, first_that_fits, room_on_edge

_FAR = 10**9
_FIRST = ("state", "mend")


class TaskScreen(ActingScreen[None]):
    """What has the focus gets the room where there is little."""

    BINDINGS = screen_bindings("task")
    AUTO_FOCUS = "ChunkList"
    DEFAULT_CSS = """
    TaskScreen #facts, TaskScreen #log, TaskScreen #sound, TaskScreen #chunks {
        border: round $surface-lighten-2; border-title-color: $text-muted; }
    TaskScreen #facts:focus, TaskScreen #log:focus, TaskScreen #chunks:focus { border: round $primary; }
    TaskScreen #facts { padding: 0 1; scrollbar-size-vertical: 1; height: 1fr; }
    TaskScreen #head, TaskScreen #rest { height: auto; }
    TaskScreen #excerpt { height: auto; margin: 1 0; display: none; }
    TaskScreen #top { layout: vertical; height: 50%; }
    TaskScreen #log { height: 5; }
    TaskScreen #sound { height: 5; }
    TaskScreen #chunks { height: 1fr; }
    TaskScreen.-narrow #sound { height: 4; }
    TaskScreen.-tall #sound { height: 7; }
    TaskScreen.-wide #top { layout: horizontal; height: 40%; }
    TaskScreen.-wide #facts { width: 3fr; height: 100%; }
    TaskScreen.-wide #log { width: 2fr; height: 100%; }
    TaskScreen.-low #top { height: 8; }
    TaskScreen.-low #log, TaskScreen.-flat #log { display: none; }
    TaskScreen.-low #top:focus-within { height: 2fr; }
    TaskScreen.-unrendered #sound, TaskScreen.-unrendered #chunks { display: none; }
    TaskScreen.-unrendered #top { height: 1fr; }
    TaskScreen.-unrendered.-untold #log { display: none; }
    TaskScreen.-flat #sound { display: none; }
    TaskScreen.-flat #top { height: 5; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-normal"), (110, "-wide")]  # noqa: RUF012 - Textual's own form
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (14, "-low"), (22, "-high"), (32, "-tall")]  # noqa: RUF012

    def __init__(self, words: Words, task: str) -> None:
        super().__init__(words)
        self._task_id = task
        self._row: TaskRow | None = None
        self._facts: TaskFacts | None = None
        self._told: Facts | None = None
        self._feed: TaskFeed | None = None

    def compose(self) -> ComposeResult:
        with Container(id="top"):
            with VerticalScroll(id="facts"):
                yield Static("", id="head", markup=False)
                yield Static("", id="excerpt", markup=False)
                yield Static("", id="rest", markup=False)
            yield TaskLog(self.words, id="log")
        yield Waveform(self.words, id="sound")
        yield ChunkList(self.words, id="chunks")
        yield KeyLine()

    def on_mount(self) -> None:
        self._feed = TaskFeed(self.cbtui.places, self.post_message, whole=True)
        self.cbtui.feed.open(self._task_id)
        self.query_one("#facts").border_title = "task"
        self.query_one("#log").border_title = "log"
        self._show_sound()
        self._show_chunks()

    def on_unmount(self) -> None:
        self.cbtui.feed.open(None)
        if self._feed is not None:
            self._feed.stop()

    @property
    def current(self) -> TaskRow | None:
        return self._row

    @property
    def chosen(self) -> list[str]:
        return [self._task_id] if self._row is not None else []

    @property
    def take(self) -> Path | None:
        chunk = self._chunks.current
        return chunk.path if chunk is not None else None

    @property
    def _chunks(self) -> ChunkList:
        return self.query_one(ChunkList)

    @property
    def nothing(self) -> str:
        return "this task is not in the queue any more"

    def removed(self) -> None:
        self.dismiss()

    def show(self, snapshot: Snapshot) -> None:
        if snapshot.opened == self._task_id:
            row = snapshot.opened_row
        else:
            # The feed has not heard of this screen yet; most often the queue's screen has shown the task.
            row = next(
                (each for each in (snapshot.focus, *snapshot.rows) if each and each.id == self._task_id), self._row
            )
        if row is not None and self._feed is not None:
            self._feed.want(row)
        self._row = row
        told = describe(row, snapshot.pace, self.cbtui.in_keys) if row is not None else self._why_nothing(snapshot)
        if told != self._told:
            self._told = told
            self._tell()
            self._count_chunks()

    def _why_nothing(self, snapshot: Snapshot) -> Facts:
        name = visible(self._task_id)
        if snapshot.opened == self._task_id:
            return f"{name} is not in the queue any more. Files and outputs stay where they are.", ()
        return visible(snapshot.trouble) or name, ()

    def on_task_read(self, message: TaskRead) -> None:
        facts = message.facts
        if facts.task != self._task_id:
            return
        self._facts = facts
        self.set_class(facts.run is None, "-unrendered")
        self.set_class(not facts.log, "-untold")
        self._tell()
        excerpt = self.query_one("#excerpt", Static)
        excerpt.display = facts.excerpt is not None
        if facts.excerpt is not None:
            excerpt.update(describe_excerpt(facts.excerpt))
        self.query_one(TaskLog).show(facts.log)
        self._show_chunks()
        self._show_sound()

    def _tell(self) -> None:
        """What is wrong comes first, then where, then all the rest."""
        title, pairs = self._told or ("", ())
        head = tuple(pair for pair in pairs if pair[0] in _FIRST)
        rest = tuple(pair for pair in pairs if pair[0] not in _FIRST)
        if self._facts is not None:
            rest = (*describe_notes(self._facts), *rest, *describe_run(self._facts))
        self.query_one("#head", Static).update(as_table((title, head)))
        self.query_one("#rest", Static).update(as_table(("", rest)))

    def _show_chunks(self) -> None:
        run = self._facts.run if self._facts else None
        instead = "reading" if self._facts is None else "nothing of it is rendered yet"
        self._chunks.show(run.chunks if run else (), instead)
        self._count_chunks()

    def _count_chunks(self) -> None:
        run = self._facts.run if self._facts else None
        wordings = summarise(run, self._row) if run and run.chunks else ["chunks"]
        _entitle(self._chunks, first_that_fits(wordings, room_on_edge(self._chunks.content_size.width)))

    def _show_sound(self) -> None:
        waveform = self.query_one(Waveform)
        waveform.show(self._facts.sound if self._facts else None, "nothing to hear yet")
        _entitle(waveform, waveform.title)
        chunk = self._chunks.current
        waveform.mark(chunk.begins if chunk else None, chunk.speech_seconds if chunk else None)

    def on_chunk_list_moved(self) -> None:
        self._show_sound()

    def action_list_down(self) -> None:
        self._move(1)

    def action_list_up(self) -> None:
        self._move(-1)

    def action_list_page_down(self) -> None:
        self._move(max(1, self._chunks.size.height - 1))

    def action_list_page_up(self) -> None:
        self._move(-max(1, self._chunks.size.height - 1))

    def action_list_first(self) -> None:
        self._move(-_FAR)

    def action_list_last(self) -> None:
        self._move(_FAR)

    def _move(self, lines: int) -> None:
        """Move in what has the focus."""
        focused = self.focused
        if isinstance(focused, VerticalScroll | TaskLog):
            focused.scroll_relative(y=lines, animate=False)
        else:
            self._chunks.move(lines)

    def action_back(self) -> None:
        self.dismiss()


def _entitle(widget: Waveform | ChunkList, title: str) -> None:
    """Setting a title paints the whole widget anew. All of it is our own words, so that no tag opens."""
    if widget.border_title != title:
        widget.border_title = title
