"""The task under the cursor: where it stands, why, and what came of it."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from cbtui.core.clean import visible
from cbtui.core.durations import format_seconds
from cbtui.core.queue import TaskRow
from cbtui.host.estimates import Pace, task_seconds
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.words import Words


class Detail(Static):
    DEFAULT_CSS = """
    Detail { border: round $surface-lighten-2; border-title-color: $text-muted; padding: 0 1; height: auto;
             min-height: 6; }
    """

    def __init__(self, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", id=id, markup=False)
        self._words = words
        self._shown: Text | None = None
        self.border_title = "task"

    def show(self, snapshot: Snapshot) -> None:
        text = _empty(snapshot) if snapshot.focus is None else describe(snapshot.focus, snapshot.pace)
        if text != self._shown:
            self._shown = text
            self.update(text)


def _empty(snapshot: Snapshot) -> Text:
    jobs = visible(snapshot.holder.jobs) if snapshot.holder else "the jobs directory"
    return Text(f"Drop .yaml, .txt or .md files into {jobs},\nor press a to add a text.")


def describe(row: TaskRow, pace: Pace) -> Text:
    """Everything the queue knows of a task, a line each; all of the person's own words literal."""
    text = Text(visible(row.id) + "\n", style="bold")
    facts: list[str] = [row.state]
    if row.reason:
        facts.append(visible(row.reason))
    _add(text, "state", ": ".join(facts))
    for problem in row.problems:
        _add(text, "mend", visible(str(problem)))
    if row.state == "rendering" or row.progress.chunks_total:
        progress = row.progress
        _add(text, "chunks", f"{progress.chunks_done} of {progress.chunks_total}, {progress.tokens} tokens")
    seconds = task_seconds(row, pace) if row.state in {"queued", "rendering"} else None
    if seconds is not None:
        _add(text, "left", f"about {format_seconds(seconds)}")
    result = row.result
    if result is not None and result.output is not None:
        _add(text, "file", visible(str(result.output)))
        speech = f"{format_seconds(result.speech_seconds)} of speech in {format_seconds(result.work_seconds)}"
        _add(text, "sound", speech + (", a draft" if result.draft else ""))
        _add(text, "chunks", f"{result.rendered} rendered, {result.reused} reused")
    _add(text, "from", visible(str(row.source)))
    _add(text, "model", f"{row.model or 'unknown'}, voice {row.voice or 'unknown'}, {row.characters} characters")
    if row.priority:
        _add(text, "priority", str(row.priority))
    if row.attempts:
        _add(text, "attempts", f"{row.attempts} did not come to a good end")
    text.rstrip()
    return text


def _add(text: Text, label: str, value: str) -> None:
    text.append(f"{label:<9}", style="dim")
    text.append(value + "\n")
