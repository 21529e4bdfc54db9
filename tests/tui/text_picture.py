"""A screen as lines of text: what stands there, in which colours. A tenth of the size of an SVG, and diffs can be read.

First come the lines, without the blanks at their ends. Then, for each line or for several that are alike, come runs of
cells in the same style (`3 a12 b68`: on line 3, 12 cells of style a, then 68 of b), and at last what the styles are.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip

from cbtui.tui.colours import contrast

_TRAITS = ("bold", "dim", "italic", "underline", "reverse", "strike")
_NAMES = [*string.ascii_letters, *("".join(pair) for pair in itertools.product(string.ascii_letters, repeat=2))]


class TextPicture(SingleFileSnapshotExtension):
    """A file for each picture, for `snapshot` of syrupy."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT


class Run(NamedTuple):
    """Text in one style."""

    text: str
    look: str
    colours: tuple[Color, Color] | None

    @property
    def contrast(self) -> float:
        """Between text and background; 21, the most there is, where there is nothing to read."""
        return contrast(*self.colours) if self.colours and self.text.strip() else 21.0


def lines_of(app: App[Any], part: Region | None = None) -> list[list[Run]]:
    """All that is on the screen, or in a part of it."""
    strips = app.screen._compositor.render_strips()
    if part is not None:
        part = part.intersection(app.screen.region)
        strips = [strip.crop(part.x, part.right) for strip in strips[part.y : part.bottom]]
    return [list(_runs(strip)) for strip in strips]


def as_text(lines: list[list[Run]]) -> str:
    """The picture that is kept."""
    names: dict[str, str] = {}
    for line in lines:
        for run in line:
            names.setdefault(run.look, _NAMES[len(names)])
    shown = ["".join(run.text for run in line).rstrip() for line in lines]
    runs = [" ".join(f"{names[run.look]}{cell_len(run.text)}" for run in line) for line in lines]
    return "\n".join([*shown, "", *_numbered(runs), "", *(f"{name} {look}" for look, name in names.items()), ""])


def _numbered(runs: list[str]) -> Iterator[str]:
    """Those of each line, and of neighbours that are alike in one."""
    for text, group in itertools.groupby(enumerate(runs, 1), key=lambda each: each[1]):
        numbers = [number for number, _ in group]
        yield f"{numbers[0]}{f'-{numbers[-1]}' if len(numbers) > 1 else ''} {text}"


def _runs(strip: Strip) -> Iterator[Run]:
    pieces = ((segment.text, segment.style or Style.null()) for segment in strip if not segment.control)
    for (look, colours), group in itertools.groupby(pieces, key=lambda piece: (_look(piece[1]), _colours(piece[1]))):
        yield Run("".join(text for text, _ in group), look, colours)


def _look(style: Style) -> str:
    colours = [colour.triplet.hex if colour and colour.triplet else "-" for colour in (style.color, style.bgcolor)]
    return " ".join([f"{colours[0]} on {colours[1]}", *(trait for trait in _TRAITS if getattr(style, trait))])


def _colours(style: Style) -> tuple[Color, Color] | None:
    if style.color is None or style.bgcolor is None:
        return None
    return Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
