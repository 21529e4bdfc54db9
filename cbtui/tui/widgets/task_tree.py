"""Folders, and the task files in them, to be marked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.style import Style
from rich.text import Text, TextType
from textual.binding import Binding
from textual.message import Message
from textual.widgets import DirectoryTree
from textual.widgets.directory_tree import DirEntry
from textual.widgets.tree import TreeNode

from cbtui.core.clean import visible
from cbtui.tui.offering import is_folder, is_pickable
from cbtui.tui.words import Words

# Ten thousand lines in a tree take half a second (measured, Textual 8.2.8); a path beyond these can be typed.
_MOST_SHOWN = 2000


class TaskTree(DirectoryTree):
    """`marked` are files to be added, in the order in which they were marked; they need not lie in sight."""

    BINDINGS = [Binding("space", "mark", show=False)]  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    TaskTree { height: 1fr; border: round $surface-lighten-2; border-title-color: $text-muted; padding: 0;
               scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }
    TaskTree:focus { border: round $primary; }
    TaskTree > .tree--guides, TaskTree:focus > .tree--guides, TaskTree:light > .tree--guides,
    TaskTree > .tree--guides-hover, TaskTree:focus > .tree--guides-hover, TaskTree:light > .tree--guides-hover,
    TaskTree > .tree--guides-selected, TaskTree:focus > .tree--guides-selected,
    TaskTree:light > .tree--guides-selected { color: $surface-lighten-2; text-style: not bold; }
    """

    class Marked(Message):
        """A file was marked, or is no longer."""

    def __init__(self, folder: Path, words: Words, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(folder, id=id)
        self._words = words
        self.marked: list[Path] = []

    @property
    def current(self) -> Path | None:
        """The file under the cursor."""
        node = self.cursor_node
        return None if node is None or node.data is None or node.allow_expand else node.data.path

    def mark(self, path: Path) -> None:
        """Mark this file, or unmark it."""
        if path in self.marked:
            self.marked.remove(path)
        else:
            self.marked.append(path)
        for node in _nodes(self.root):
            if node.data is not None and node.data.path == path:
                node.refresh()
        self.post_message(self.Marked())

    def action_mark(self) -> None:
        """Mark the file under the cursor and go on to the next; open or close a folder."""
        if self.current is None:
            self.action_toggle_node()
        else:
            self.mark(self.current)
            self.action_cursor_down()

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """Called beside the screen's thread."""
        from cbtui.jobs.scan import natural_order

        return natural_order(path for path in paths if is_pickable(path))[:_MOST_SHOWN]

    def process_label(self, label: TextType) -> Text:
        return Text(visible(str(label)))

    def render_label(self, node: TreeNode[DirEntry], base_style: Style, style: Style) -> Text:
        path = None if node.data is None else node.data.path
        if node.allow_expand:
            sign = ("- " if node.is_expanded else "+ ") if self._words.ascii else ("▾ " if node.is_expanded else "▸ ")
        else:
            sign = "  " if path not in self.marked else "* " if self._words.ascii else "● "
        is_marked = path in self.marked
        label = Text(sign, style=base_style + Style(bold=is_marked))
        name = visible(str(path)) if node.is_root else str(node.label)
        label.append(name, style=style + Style(bold=is_marked))
        return label


def _nodes(top: TreeNode[DirEntry]) -> Iterator[TreeNode[DirEntry]]:
    """This one and all below it that were opened so far."""
    yield top
    for node in top.children:
        yield from _nodes(node)


def as_folder(path: Path | None) -> Path:
    """This folder if it is one, else where the person stands, else the person's home, else the top."""
    return next((each for each in _folders(path) if is_folder(each)), Path("/"))


def _folders(path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield path
    # It may have been removed since.
    with contextlib.suppress(FileNotFoundError):
        yield Path.cwd()
    yield Path.home()
