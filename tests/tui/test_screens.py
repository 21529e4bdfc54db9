"""How every screen looks at every width and in every theme, as people have looked at it.

`pytest --snapshot-update` after looking again. The queue and a task have pictures of their own at every width, as SVG.
So has each other screen at 80 columns, and the queue in each theme: those can be opened and looked at. The many others
are kept as text with a map of colours, which is a tenth of the size, and whose difference can be read.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.color import Color
from textual.geometry import Region

from cbtui.tui.app import Options
from tests.tui.test_pictures import SIZES, Compare
from tests.tui.text_picture import Run, TextPicture, as_text, lines_of
from tests.tui.visited import QUEUE, VISITS, app_for, go_to, same_everywhere

THEMES = ("dark", "amber", "colour-blind", "high-contrast", "light")
IN_A_THEME = (100, 30)
OTHERS = [name for name in VISITS if name not in {QUEUE, "task"}]

# The contrast that words need, and what signs do, and what stands back on the line under the cursor:
# https://www.w3.org/TR/WCAG22/#contrast-minimum and #non-text-contrast.
READ, SEEN = 4.5, 3.0
# Lines around things, bars and graphs, whose colours lie on one another.
DRAWN = re.compile("[\u2500-\u259f]+")


@dataclass(frozen=True)
class Seen:
    """A screen in one theme: all of it, and without what it lies over. `cursor` is the colour of the line under it."""

    lines: list[list[Run]]
    in_front: list[list[Run]]
    cursor: Color

    def is_under_cursor(self, run: Run) -> bool:
        return run.colours is not None and all(
            abs(one - other) <= 2 for one, other in zip(run.colours[1].rgb, self.cursor.rgb, strict=True)
        )


@pytest.fixture(autouse=True)
def _same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with same_everywhere(monkeypatch, tmp_path):
        yield


async def at_width(name: str, width: int) -> list[list[Run]]:
    app = app_for(name)
    async with app.run_test(size=(width, SIZES[width]), notifications=True) as pilot:
        await go_to(pilot, name)
        return lines_of(app)


async def in_themes(name: str, themes: Sequence[str]) -> dict[str, Seen]:
    """One visit that puts on one theme after the other."""
    app = app_for(name, Options(theme=themes[0]))
    found = {}
    async with app.run_test(size=IN_A_THEME, notifications=True) as pilot:
        await go_to(pilot, name)
        for theme in themes:
            app.colours.show(theme)
            await pilot.pause()
            await pilot.wait_for_scheduled_animations()
            parts = [widget.region for widget in app.screen.walk_children() if widget.region]
            cursor = Color.parse(app.theme_variables["block-cursor-background"])
            found[theme] = Seen(lines_of(app), lines_of(app, Region.from_union(parts)), cursor)
    return found


@cache
def in_every_theme(name: str) -> dict[str, Seen]:
    if name != "palette":
        return asyncio.run(in_themes(name, THEMES))
    # It keeps the colours that it was opened in.
    return {theme: asyncio.run(in_themes(name, [theme]))[theme] for theme in THEMES}


@pytest.mark.parametrize("width", [width for width in SIZES if width != 80])
@pytest.mark.parametrize("name", OTHERS)
def test_a_screen_at_every_width(snapshot: SnapshotAssertion, name: str, width: int) -> None:
    assert as_text(asyncio.run(at_width(name, width))) == snapshot(extension_class=TextPicture)


@pytest.mark.parametrize("name", OTHERS)
def test_a_screen_to_look_at(snap_compare: Compare, name: str) -> None:
    assert snap_compare(app_for(name), terminal_size=(80, SIZES[80]), run_before=lambda pilot: go_to(pilot, name))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", [name for name in VISITS if name != QUEUE])
def test_a_screen_in_every_theme(snapshot: SnapshotAssertion, name: str, theme: str) -> None:
    assert as_text(in_every_theme(name)[theme].lines) == snapshot(extension_class=TextPicture)


@pytest.mark.parametrize("theme", THEMES)
def test_the_queue_in_every_theme(snap_compare: Compare, theme: str) -> None:
    app = app_for(QUEUE, Options(theme=theme))
    assert snap_compare(app, terminal_size=IN_A_THEME, run_before=lambda pilot: go_to(pilot, QUEUE))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", VISITS)
def test_all_that_is_written_can_be_read(name: str, theme: str) -> None:
    seen = in_every_theme(name)[theme]
    for run in itertools.chain(*seen.in_front):
        words = DRAWN.sub("", run.text).strip()
        is_read = any(letter.isalnum() for letter in words) and not seen.is_under_cursor(run)
        least = READ if is_read else SEEN
        assert not words or run.contrast >= least, f"{run.look}: {words}"
