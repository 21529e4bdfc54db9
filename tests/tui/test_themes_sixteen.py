"""What a terminal of sixteen colours makes of the themes: nothing is lost in its background."""

from __future__ import annotations

import itertools

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from cbtui.core.status import STATES
from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.colours import SixteenColours, are_sixteen, contrast
from tests.tui.support import Screened, screened
from tests.tui.test_themes_shipped import SHIPPED, each_theme

BLACK = Color.parse("black")
# As xterm has them.
DARK = ("#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5")
BRIGHT = ("#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff")
XTERM = DARK + BRIGHT


def numbers(colour: str, below: str) -> tuple[int | None, int | None]:
    """Which of the sixteen text and background become."""
    (found,) = SixteenColours().apply([Segment("x", Style(color=colour, bgcolor=below))], BLACK)
    assert found.style is not None
    color, bgcolor = found.style.color, found.style.bgcolor
    assert color is not None
    assert bgcolor is not None
    return color.number, bgcolor.number


@pytest.mark.parametrize(
    ("colour", "number"),
    [
        ("#f5757c", 9),
        ("#e8c14a", 11),
        ("#5fc97e", 10),
        ("#5aa9f0", 12),
        ("#8fd0ff", 14),
        ("#9a86e8", 13),
        ("#e4e6e8", 15),
        ("#ff0000", 9),
    ],
)
def test_hues_stay(colour: str, number: int) -> None:
    assert numbers(colour, "#121416") == (number, 0)


def test_what_was_seen_is_seen_whatever_the_colours() -> None:
    steps = ("#000000", "#402000", "#804020", "#c08060", "#ffc0a0", "#a0c0ff", "#2040c0", "#ffffff", "#808080")
    for colour, below in itertools.permutations(steps, 2):
        shown, ground = numbers(colour, below)
        assert shown is not None
        assert ground is not None
        meant = contrast(Color.parse(colour), Color.parse(below))
        least = 3.0 if meant >= 3 else 1.2 if ground == shown else 0
        assert contrast(Color.parse(XTERM[shown]), Color.parse(XTERM[ground])) >= least, (colour, below)


def test_what_has_no_colour_of_its_own_is_left_alone() -> None:
    segments = [Segment("a"), Segment("b", Style(bold=True)), Segment("c", Style(color="default", bgcolor="default"))]
    assert SixteenColours().apply(segments, BLACK) == segments
    assert SixteenColours().apply([Segment(" ", Style(color="#123456", bgcolor="#123456"))], BLACK)[0].text == " "


@each_theme
@pytest.mark.asyncio
async def test_no_text_is_lost_in_any_theme(places: Places, theme: object) -> None:
    name = next(name for name, each in SHIPPED.items() if each is theme)
    async with screened(places, host=False, options=Options(rate=20.0, theme=name, sixteen=True)) as shown:
        await shown.press("t")
        await shown.until(lambda: "book/quarantined" in shown.text(), "the sample")
        for text, style in painted(shown):
            assert not text.strip() or style.color is None or style.bgcolor is None or is_told(style), (text, style)
        assert all(shown.app.options.words.glyph(state) in shown.text() for state in STATES)


def painted(shown: Screened) -> list[tuple[str, Style]]:
    strips: list[Strip] = shown.app.screen._compositor.render_strips()
    return [(segment.text, segment.style) for strip in strips for segment in strip if segment.style]


def is_told(style: Style) -> bool:
    """Whether text and background differ as the terminal gets them."""
    assert style.color is not None
    assert style.bgcolor is not None
    pair: list[RichColor] = [each.downgrade(ColorSystem.STANDARD) for each in (style.color, style.bgcolor)]
    return pair[0].number != pair[1].number


@pytest.mark.parametrize(
    ("term", "colorterm", "expected"),
    [("xterm", "", True), ("xterm-16color", "", True), ("xterm-256color", "", False), ("xterm", "truecolor", False)],
)
def test_the_environment_tells(monkeypatch: pytest.MonkeyPatch, term: str, colorterm: str, *, expected: bool) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colorterm)
    assert are_sixteen() is expected
