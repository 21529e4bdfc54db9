"""Choosing the colours: every theme, shown on what it will colour while the cursor is on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from cbtui.core.clean import visible
from cbtui.core.events import CacheEvent
from cbtui.core.problem import Problem
from cbtui.core.queue import Progress, TaskRow
from cbtui.core.stamp import Stamp
from cbtui.core.status import STATES, Result, State
from cbtui.tui.keys import screen_bindings
from cbtui.tui.screens.base import LiveScreen
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.widgets.cache_log import CacheLog
from cbtui.tui.widgets.host_line import HostLine
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.widgets.memory_graph import MemoryGraph
from cbtui.tui.widgets.queue_list import QueueList
from cbtui.tui.words import Words

_REASONS: Mapping[State, str] = {
    "failed": "the model ended the speech before it began",
    "blocked": "no space left on the disk",
    "quarantined": "its host died 3 times while rendering it",
    "cancelled": "its file was deleted",
}
# A made-up memory, in gigabytes: time goes on by columns.
_OURS = (0.5, 0.5, 2.0, 3.2, 3.2, 3.4, 5.0, 5.0, 4.4, 4.4, 4.4, 5.2)
_COLUMN_SECONDS = 5.0


class ThemeList(OptionList, inherit_bindings=False):
    """The screen has its keys."""


class ThemeScreen(LiveScreen[None]):
    """The cursor applies a theme; enter keeps it, escape puts the colours back."""

    BINDINGS = screen_bindings("themes")
    AUTO_FOCUS = "ThemeList"
    DEFAULT_CSS = """
    ThemeScreen #body { height: 1fr; layout: horizontal; }
    ThemeScreen ThemeList { width: 22; height: 100%; padding: 0; background: $background;
                            border: round $surface-lighten-2; border-title-color: $text-muted; }
    ThemeScreen ThemeList:focus { border: round $primary; background-tint: $background 0%; }
    ThemeScreen #sample { width: 1fr; height: 100%; }
    ThemeScreen #queue { height: 11; border: round $surface-lighten-2; border-title-color: $text-muted; }
    ThemeScreen #memory { height: 4; }
    ThemeScreen.-tall #memory { height: 6; }
    ThemeScreen #about { height: 2; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    ThemeScreen.-narrow #body { layout: vertical; }
    ThemeScreen.-narrow ThemeList { width: 100%; height: 7; }
    ThemeScreen.-narrow #sample { width: 100%; height: 1fr; }
    ThemeScreen.-low #memory, ThemeScreen.-low #cache { display: none; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-normal")]  # noqa: RUF012 - Textual's own form
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-high"), (30, "-tall")]  # noqa: RUF012

    def __init__(self, words: Words) -> None:
        super().__init__(words)
        self._names: list[str] = []

    @property
    def _list(self) -> ThemeList:
        return self.query_one(ThemeList)

    def compose(self) -> ComposeResult:
        yield HostLine(self.words, id="host")
        with Container(id="body"):
            yield ThemeList(id="themes")
            with Vertical(id="sample"):
                yield QueueList(self.words, id="queue")
                yield MemoryGraph(self.words, id="memory")
                yield CacheLog(self.words, id="cache")
                yield Static("", id="about", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        super().on_mount()
        colours = self.cbtui.colours
        self._before = colours.shown
        colours.read_again()
        self._fill_sample()
        self._names = colours.names
        themes = self._list
        themes.border_title = "themes"
        themes.add_options(Option(self._called(name)) for name in self._names)
        if self.app.theme in self._names:
            themes.highlighted = self._names.index(self.app.theme)

    def _called(self, name: str) -> Content:
        content = Content(name)
        return content + Content.styled("  yours", "$text-muted") if self.cbtui.colours.is_own(name) else content

    def _fill_sample(self) -> None:
        sample = _sample()
        tasks = self.query_one(QueueList)
        tasks.border_title = "tasks, in every state"
        tasks.show(sample)
        tasks.cursor = 1
        cache = self.query_one(CacheLog)
        cache.show(sample)
        memory = self.query_one(MemoryGraph)
        for column in range(20 * len(_OURS)):
            memory.show(_live(column))
        for widget in (tasks, cache):
            widget.can_focus = False

    def show(self, snapshot: Snapshot) -> None:
        self.query_one(HostLine).show(snapshot, starting=self.cbtui.is_starting)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        name = self._names[event.option_index]
        colours = self.cbtui.colours
        colours.show(name)
        about = _shown(colours.file_of(name))
        if not colours.is_own(name):
            about += f"\nTo make your own, copy it to {_shown(colours.own)}"
        self.query_one("#about", Static).update(about)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.cbtui.colours.choose(self._names[event.option_index])
        self.dismiss()

    def action_keep(self) -> None:
        self._list.action_select()

    def action_list_down(self) -> None:
        self._list.action_cursor_down()

    def action_list_up(self) -> None:
        self._list.action_cursor_up()

    def action_list_page_down(self) -> None:
        self._list.action_page_down()  # type: ignore[no-untyped-call]

    def action_list_page_up(self) -> None:
        self._list.action_page_up()  # type: ignore[no-untyped-call]

    def action_list_first(self) -> None:
        self._list.action_first()

    def action_list_last(self) -> None:
        self._list.action_last()

    def action_back(self) -> None:
        self.cbtui.colours.put_back(self._before)
        self.dismiss()


def _shown(path: Path) -> str:
    home = Path.home()
    return visible(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))


def _sample() -> Snapshot:
    """A task in every state, and look-ups that hit and miss."""
    rows = tuple(_row(number, state) for number, state in enumerate(STATES, 1))
    events = (
        CacheEvent("model", "english@cuda", hit=False, seconds=8.2, at=0.0),
        CacheEvent("voice", "3f9a20c17be1", hit=False, seconds=0.8, message="reader.wav", at=1.0),
        CacheEvent("chunk", "91b2c3d4e5f6", hit=True, seconds=0.0, saved=4.4, message="book/done #7", at=2.0),
    )
    return Snapshot(total=len(rows), rows=rows, cache_events=tuple(enumerate(events, 1)))


def _row(number: int, state: State) -> TaskRow:
    source = Path(f"/jobs/book/{state}.txt")
    return TaskRow(
        number=number,
        id=f"book/{state}",
        source=source,
        stamp=Stamp(0, 0, 0, 0),
        digest="",
        priority=0,
        position=number,
        state=state,
        reason=_REASONS.get(state, ""),
        problems=(Problem(str(source), "there is no such setting"),) if state == "invalid" else (),
        attempts=0,
        deaths=0,
        progress=Progress(7, 16, 4321) if state in {"rendering", "paused"} else Progress(),
        result=Result("", source, 754.0, 301.5, 38, 2) if state == "done" else None,
        added=0.0,
        started=None,
        finished=None,
        changed=number,
        model="chatterbox/english",
        voice="",
        characters=0,
        overtaken=0,
        fresh=False,
    )


def _live(column: int) -> dict[str, Any]:
    ours = _OURS[column % len(_OURS)] * 1e9
    memory = {"at": column * _COLUMN_SECONDS, "device": "cuda", "gpu": "a GPU", "total_bytes": 8e9}
    memory |= {"used_by_us_bytes": ours, "used_by_others_bytes": 1.2e9}
    return {"rendering": ["book/rendering"], "memory": memory}
