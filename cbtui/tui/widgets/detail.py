"""The task under the cursor: where it stands, why, what came of it, and what it sounds like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from cbtui.core.clean import shown_path, visible
from cbtui.core.durations import format_seconds
from cbtui.core.queue import Filter, Progress, TaskRow
from cbtui.host.estimates import Pace, task_seconds
from cbtui.tui.messages import TaskRead
from cbtui.tui.opened import ChunkState, Excerpt, RunFacts, TaskFacts
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.task_feed import TaskFeed
from cbtui.tui.widgets.waveform import Waveform
from cbtui.tui.words import Words, first_that_fits, room_on_edge

if TYPE_CHECKING:
    from cbtui.tui.app import CbtuiApp

# (label, value), and what stands above them; all of it safe for a terminal.
Pairs = tuple[tuple[str, str], ...]
Facts = tuple[str, Pairs]

_LABEL_CELLS = 8
_STATES: Sequence[ChunkState] = ("done", "rendering", "waiting", "missing", "damaged")
_WIDTH = 200  # characters of a line of a file; what is beyond helps nobody


class Detail(Vertical):
    """Reads the disk only while its screen is looked at, and only of tasks that the cursor stays on."""

    DEFAULT_CSS = """
    Detail { border: round $surface-lighten-2; border-title-color: $text-muted; border-subtitle-color: $text-muted;
             padding: 0 1; height: auto; min-height: 6; }
    Detail #facts { height: auto; }
    Detail #wave { height: 2; display: none; }
    """

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._words = words
        self._shown: Facts | None = None
        self._task_id = ""
        self._row: TaskRow | None = None
        self._run: RunFacts | None = None
        self._feed: TaskFeed | None = None
        self.border_title = "task"

    def compose(self) -> ComposeResult:
        yield Static("", id="facts", markup=False)
        yield Waveform(self._words, id="wave")

    def on_mount(self) -> None:
        app = cast("CbtuiApp", self.app)
        self._feed = TaskFeed(app.places, self.post_message)
        # The screen may have had a reading before this had its parts.
        self.show(app.snapshot)

    def on_unmount(self) -> None:
        if self._feed is not None:
            self._feed.stop()

    def show(self, snapshot: Snapshot) -> None:
        if self._feed is None:
            return
        focus = self._row = snapshot.focus
        in_keys = cast("CbtuiApp", self.app).in_keys
        shown = _empty(snapshot) if focus is None else describe(focus, snapshot.pace, in_keys)
        if shown != self._shown:
            self._shown = shown
            self.query_one("#facts", Static).update(as_table(shown))
            self.call_after_refresh(self._count)
        task = focus.id if focus else ""
        if task != self._task_id:
            self._task_id = task
            # Nothing yet, but its room stays: the next task may have a sound too.
            self._hear(None)
        else:
            self._count()
        if self.app.screen is self.screen:
            self._feed.want(focus)

    def on_resize(self) -> None:
        self._count()

    def on_task_read(self, message: TaskRead) -> None:
        if message.facts.task == self._task_id:
            self._hear(message.facts)
            self.query_one(Waveform).display = message.facts.sound is not None

    def _hear(self, facts: TaskFacts | None) -> None:
        self.query_one(Waveform).show(facts.sound if facts else None)
        self._run = facts.run if facts else None
        self._count()

    def _count(self) -> None:
        wordings = map(self._words.plain, summarise(self._run, self._row)) if self._run else [self._where_the_rest_is()]
        summary = first_that_fits(wordings, room_on_edge(self.content_size.width))
        if summary != (self.border_subtitle or ""):
            self.border_subtitle = summary

    def _where_the_rest_is(self) -> str:
        """The key that shows all, where there is more to say than there is room."""
        is_cut = self.query_one("#facts").virtual_region.height > self.content_size.height
        return f"{cast('CbtuiApp', self.app).key_of('open')} for all of it" if is_cut and self._row else ""


def _empty(snapshot: Snapshot) -> Facts:
    if snapshot.view.only != Filter():
        return "Nothing fits the filter. Press esc to show all tasks again.", ()
    jobs = visible(snapshot.holder.jobs) if snapshot.holder else "the jobs directory"
    return f"Drop .yaml, .txt or .md files into {jobs}, or press a to add a text.", ()


def describe(row: TaskRow, pace: Pace, in_keys: Callable[[str], str] = str) -> Facts:
    """Everything the queue knows of a task. `in_keys` has keys for what a reason advises."""
    progress, result = row.progress, row.result
    facts = [("state", f"{row.state}: {in_keys(row.reason)}" if row.reason else row.state)]
    facts += [("mend", str(problem)) for problem in row.problems]
    if row.state != "done" and (row.state == "rendering" or progress.chunks_total):
        facts.append(("chunks", _progress(progress)))
    seconds = task_seconds(row, pace) if row.state in {"queued", "rendering"} else None
    if seconds is not None:
        facts.append(("left", f"about {format_seconds(seconds)}"))
    if result is not None and result.output is not None:
        facts.append(("file", shown_path(result.output)))
        speech = f"{format_seconds(result.speech_seconds)} of speech in {format_seconds(result.work_seconds)}"
        facts.append(("sound", speech + (", a draft" if result.draft else "")))
        facts.append(("chunks", f"{result.rendered} rendered, {result.reused} reused"))
    facts.append(("from", shown_path(row.source)))
    if row.model:
        facts.append(("model", f"{row.model}, voice {row.voice or 'unknown'}, {row.characters} characters"))
    if row.priority:
        facts.append(("priority", str(row.priority)))
    if row.attempts:
        facts.append(("attempts", f"{row.attempts} did not come to a good end"))
    return visible(row.id), tuple((label, visible(value)) for label, value in facts)


def _progress(progress: Progress) -> str:
    # Drafts count no tokens.
    tokens = f", {progress.tokens} tokens" if progress.tokens else ""
    return f"{progress.chunks_done} of {progress.chunks_total}{tokens}"


def describe_notes(facts: TaskFacts) -> Pairs:
    """What of a task could not be read, or is not as it should be."""
    return tuple(("note", visible(note)) for note in facts.notes)


def describe_run(facts: TaskFacts) -> Pairs:
    """How the newest run of a task came about."""
    if facts.run is not None:
        return tuple((label, visible(value)) for label, value in facts.run.settings)
    if facts.excerpt is not None:
        return ()
    return (("run", "none yet: settings and chunks are told once it is rendered"),)


def as_table(facts: Facts) -> Group:
    """Facts a line each, or several where they are long; all of the person's own words literal."""
    title, pairs = facts
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=_LABEL_CELLS, style="dim")
    table.add_column(ratio=1, overflow="fold")
    for label, value in pairs:
        table.add_row(Text(label), Text(value))
    return Group(*([Text(title, style="bold")] if title else []), *([table] if pairs else []))


def describe_excerpt(excerpt: Excerpt) -> Text:
    """The lines of a file around a mistake, with a mark below the place."""
    text = Text(no_wrap=True, overflow="ellipsis")
    width = len(str(excerpt.lines[-1][0]))
    for number, line in excerpt.lines:
        is_place = number == excerpt.line
        text.append(f"{'>' if is_place else ' '} {number:>{width}}  ", style="bold" if is_place else "dim")
        text.append(_shown(line[:_WIDTH]) + "\n", style="bold" if is_place else "")
        if is_place and excerpt.column is not None and excerpt.column <= _WIDTH:
            before = Text(_shown(line[: excerpt.column - 1])).cell_len
            text.append(" " * (width + 4 + before) + "^\n", style="bold")
    text.rstrip()
    return text


def summarise(run: RunFacts, row: TaskRow | None) -> list[str]:
    """`12 of 40 chunks, 1 rendering, 27 waiting`, and in fewer words; under way, as many are done as the queue says."""
    counts = {state: run.count(state) for state in _STATES}
    if row is not None and row.state == "rendering" and row.progress.chunks_total == len(run.chunks):
        # The disk is read at another moment than the queue, and one screen must not count the same thing twice.
        ahead = counts["done"] - row.progress.chunks_done
        counts["done"] -= ahead
        counts["waiting"] = max(0, counts["waiting"] + ahead)
    others = [f"{count} {state}" for state, count in counts.items() if count and state != "done"]
    chunks = f"{counts['done']} of {len(run.chunks)} chunks"
    return [", ".join([chunks, *others]), chunks, f"{counts['done']}/{len(run.chunks)}"]


def _shown(line: str) -> str:
    return visible(line.replace("\t", "  "))
