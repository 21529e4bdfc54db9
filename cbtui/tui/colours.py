"""Colours: as people write them, how well one is seen on another, and what is left of them where there are sixteen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from colorsys import rgb_to_hls
from functools import lru_cache

from rich.color import Color as RichColor
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual import constants
from textual.color import Color, ColorParseError
from textual.filter import LineFilter

# What is seen on another colour at all, and what can be read on it.
_SEEN = 1.5
_READ = 3.0
# The sixteen as VGA had them and as xterm has them: what is read in both is read in most terminals.
_VGA = """#000000 #aa0000 #00aa00 #aa5500 #0000aa #aa00aa #00aaaa #aaaaaa
          #555555 #ff5555 #55ff55 #ffff55 #5555ff #ff55ff #55ffff #ffffff"""
_XTERM = """#000000 #cd0000 #00cd00 #cdcd00 #0000ee #cd00cd #00cdcd #e5e5e5
            #7f7f7f #ff0000 #00ff00 #ffff00 #5c5cff #ff00ff #00ffff #ffffff"""
_SIXTEEN = tuple(tuple(map(Color.parse, each.split())) for each in (_VGA, _XTERM))
# Those without hue: black, dark grey, light grey, white.
_GREYS = (0, 8, 7, 15)
# Where a hue ends, in degrees, and its number: red, yellow, green, cyan, blue, magenta; then comes red again.
_HUES = ((20, 1), (75, 3), (160, 2), (195, 6), (250, 4), (330, 5))
_ORANGE_ENDS = 45
# Bounds of saturation and lightness between which a hue is seen as one, and from where on it is a bright one.
_GREY, _BLACK, _WHITE = 0.2, 0.12, 0.93
_MIDDLE, _LIGHT, _PALE = 0.5, 0.6, 0.7


def parse_colour(value: object, *, opaque: bool = True) -> Color:
    """A colour as people write it. Raises ValueError in plain words."""
    from cbtui.jobs.values import quote

    word = value.strip().casefold() if isinstance(value, str) else ""
    how = "write #rrggbb in quotes, or a name such as navy"
    if word.startswith("ansi_"):
        raise ValueError(f"{quote(value)} looks different in every terminal: {how}")
    try:
        colour = Color.parse(word)
    except ColorParseError as error:
        meant = f"#{word}" if re.fullmatch("[0-9a-f]{6}|[0-9a-f]{3}", word) else error.suggested_color
        hint = f" (did you mean '{meant}'?)" if meant else f": {how}"
        raise ValueError(f"{quote(value)} is no colour{hint}") from None
    if opaque and colour.a < 1:
        raise ValueError(f"{quote(value)} is transparent: {how}")
    return colour


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21, as WCAG 2 defines it: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Color) -> float:
    """From 0 to 1: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def are_sixteen() -> bool:
    """Whether the terminal has no more, as far as its environment tells."""
    return Console(force_terminal=True, color_system=constants.COLOR_SYSTEM).color_system == "standard"  # type: ignore[arg-type]


class SixteenColours(LineFilter):
    """Chooses among the sixteen by hue, and keeps apart what would be one colour: text, borders, bars on their ground.

    The terminal library's own choice is by distance, which finds a grey for most colours that are not garish.
    """

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, None if style is None else _in_sixteen(style), control) for text, style, control in segments
        ]


@lru_cache(4096)
def _in_sixteen(style: Style) -> Style:
    shown, below = _nearest(style.color), _nearest(style.bgcolor)
    if style.color != style.bgcolor and shown is not None and below is not None:
        meant = contrast(*map(Color.from_rich_color, (style.color, style.bgcolor)))
        if meant >= _READ:
            shown = _legible(shown, below, _READ)
        elif shown == below:
            shown = _legible(shown, below, _SEEN)
    return style + Style(color=_ansi(shown), bgcolor=_ansi(below))


def _ansi(number: int | None) -> RichColor | None:
    return None if number is None else RichColor.from_ansi(number)


def _legible(number: int, below: int, least: float) -> int:
    """This colour, or a darker or brighter one of its hue, or the faintest grey that will do."""
    hues = [number] if number in _GREYS else [number, number ^ 8]
    greys = sorted(_GREYS, key=lambda grey: _contrast(grey, below))
    return next(each for each in [*hues, *greys] if _contrast(each, below) >= least)


def _contrast(number: int, below: int) -> float:
    return min(contrast(palette[number], palette[below]) for palette in _SIXTEEN)


def _nearest(colour: RichColor | None) -> int | None:
    """The number of what comes closest; None without a colour."""
    if colour is None or colour.triplet is None:
        return None
    hue, lightness, saturation = rgb_to_hls(*colour.triplet.normalized)
    if saturation < _GREY or not _BLACK <= lightness <= _WHITE:
        return min(_GREYS, key=lambda grey: abs(_SIXTEEN[0][grey].hsl.l - lightness))
    degrees = hue * 360
    number = next((number for end, number in _HUES if degrees < end), 1)
    # Orange is what VGA calls yellow; light blue is nearer to its cyan.
    is_bright = lightness >= (_LIGHT if number == 3 and degrees < _ORANGE_ENDS else _MIDDLE)
    if number == 4 and lightness >= _PALE:
        number = 6
    return number + 8 if is_bright else number
