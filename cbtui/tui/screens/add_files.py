"""Pick task files from anywhere, and add them with the texts and clips that they name."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import DirectoryTree, Static

from cbtui.core.clean import visible
from cbtui.core.problem import InvalidFile
from cbtui.paths import Places
from cbtui.tui.background import in_background
from cbtui.tui.drafting import explained
from cbtui.tui.keys import screen_bindings
from cbtui.tui.offering import Offers, complete, find_offers, is_folder
from cbtui.tui.screens.add import ABOUT_JOBS, NO_JOB, tell
from cbtui.tui.screens.base import LiveScreen
from cbtui.tui.widgets.field import Field, Line
from cbtui.tui.widgets.key_line import KeyLine
from cbtui.tui.widgets.task_tree import TaskTree, as_folder
from cbtui.tui.words import Words

if TYPE_CHECKING:
    from cbtui.jobs.adding import Added


class _Completed(Suggester):
    """How a path may go on, as the disk has it."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(complete, value)


class PathLine(Line):
    BINDINGS = [Binding("tab", "complete", show=False)]  # noqa: RUF012 - Textual's own form

    class Typed(Message):
        """The path is to be gone to."""

    def __init__(self) -> None:
        super().__init__(id="path")
        self.suggester = _Completed()
        self.placeholder = "type one, or go through the list below"

    async def action_submit(self) -> None:
        self.post_message(self.Typed())

    def action_complete(self) -> None:
        """Take over what is suggested; go on to the next field where nothing is."""
        typed = self.value
        in_background(self, partial(complete, typed), partial(self._completed, typed))

    def _completed(self, typed: str, found: str | None) -> None:
        if typed != self.value:
            return
        if not typed or found is None:
            self.screen.focus_next()
        else:
            self.value = found
            self.cursor_position = len(found)


class AddFilesScreen(LiveScreen[tuple[str, ...]]):
    """Gives the ids of the tasks that were added; none where nothing was."""

    BINDINGS = screen_bindings("pick")
    AUTO_FOCUS = "TaskTree"
    DEFAULT_CSS = """
    AddFilesScreen #chosen { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
    AddFilesScreen #problems { display: none; height: auto; max-height: 40%; border: round $error; padding: 0 1;
                               scrollbar-size-vertical: 1; }
    AddFilesScreen #problems.-given { display: block; }
    """

    def __init__(self, words: Words, places: Places, job: str = "") -> None:
        super().__init__(words)
        self._places = places
        self._given_job = job
        self._path = Field("path", "path", line=PathLine())
        self._job = Field("job", "job")
        self._same_name = Field("same_name", "same name", [("overwrite the file that is there", "overwrite")])
        self._is_adding = False

    def compose(self) -> ComposeResult:
        # A list of choices that opens at the bottom would lie over the line of keys.
        yield self._path
        yield self._job
        yield self._same_name
        with VerticalScroll(id="problems"):
            yield Static("", markup=False)
        yield TaskTree(as_folder(self.cbtui.kept.folder), self.words, id="tree")
        yield Static("", id="chosen", markup=False)
        yield KeyLine()

    def on_mount(self) -> None:
        super().on_mount()
        self._tree.border_title = "task files"
        self.query_one("#problems").border_title = "not added"
        self._path.offer((), "tab completes it; enter opens a folder, or marks a file")
        self._job.value = self._given_job
        self._job.show_standard(NO_JOB)
        self._same_name.show_standard("leave the file that is there")
        in_background(self, partial(find_offers, self._places.jobs), self._offer)
        self._show_chosen()

    @property
    def _tree(self) -> TaskTree:
        return self.query_one(TaskTree)

    @property
    def _chosen(self) -> list[Path]:
        """What is to be added: the marked files, else the one under the cursor."""
        current = self._tree.current
        return list(self._tree.marked) or ([] if current is None else [current])

    def _offer(self, offers: Offers) -> None:
        self._job.offer(offers.jobs, ABOUT_JOBS)

    def _show_chosen(self) -> None:
        chosen = self._chosen
        names = ", ".join(visible(path.name) for path in chosen)
        count = f"{len(chosen)} marked: " if self._tree.marked else "to be added: " if chosen else ""
        said = count + (names or "space marks files; several can be added at once")
        self.query_one("#chosen", Static).update(Text(said))

    def on_task_tree_marked(self) -> None:
        self._show_chosen()

    def on_tree_node_highlighted(self) -> None:
        self._show_chosen()

    def on_directory_tree_file_selected(self, event: DirectoryTree.FileSelected) -> None:
        self._tree.mark(event.path)

    def on_path_line_typed(self) -> None:
        """Open the folder that was typed; mark the file that was."""
        typed = self._path.value.strip()
        if typed:
            # Not resolved: a link is told as one.
            path = Path(os.path.abspath(os.path.expanduser(typed)))  # noqa: PTH100, PTH111
            in_background(self, partial(is_folder, path), partial(self._typed, path))

    def _typed(self, path: Path, folder: bool) -> None:
        if folder:
            self._go_to(path)
        elif path not in self._tree.marked:
            self._tree.mark(path)
            self._path.value = ""

    def _go_to(self, folder: Path) -> None:
        self._tree.path = folder
        self.cbtui.kept.folder = folder
        self._tree.focus()

    def action_up(self) -> None:
        self._go_to(Path(self._tree.path).parent)

    def action_add(self) -> None:
        chosen = self._chosen
        if not chosen:
            self.notify("mark a file first: space", severity="warning", markup=False, timeout=4)
        elif not self._is_adding:
            self._is_adding = True
            self.cbtui.kept.folder = Path(self._tree.path)
            replacing = bool(self._same_name.value)
            work = partial(_try_to_add, chosen, self._places, self._job.value.strip(), replacing)
            in_background(self, work, self._answered)

    def _answered(self, outcome: tuple[Added, ...] | str) -> None:
        self._is_adding = False
        if isinstance(outcome, str):
            self.query_one("#problems Static", Static).update(Text(outcome))
            self.query_one("#problems").add_class("-given").scroll_home(animate=False)
        else:
            tell(self.cbtui, outcome)
            self.dismiss(tuple(each.task for each in outcome))

    def action_back(self) -> None:
        self.dismiss(())


def _try_to_add(files: list[Path], places: Places, job: str, replacing: bool) -> tuple[Added, ...] | str:
    """What was added, or why nothing was: a line for each problem, as `cbtui add` says it."""
    from cbtui.jobs.adding import add_files
    from cbtui.jobs.destination import find_destination

    try:
        destination = find_destination(places.jobs, job or None)
    except ValueError as error:
        return f"job: {error}"
    try:
        return add_files(files, destination, replacing=replacing, user_settings=places.user_settings)
    except InvalidFile as error:
        return "\n".join(visible(str(problem)) for problem in error.problems)
    except OSError as error:
        return explained(error)
