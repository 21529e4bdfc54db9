"""Colours: as people write them, how well one is seen on another, and what is left of them where there are sixteen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual import constants
from textual.color import Color, ColorParseError
from textual.filter import LineFilter

# What is seen on another colour at all, and what can be read on it.
_SEEN = 1.5
_READ = 3.0
# As VGA had them; terminals of sixteen colours stay close to that, and Rich chooses among the same.
_DARK = [(0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)]
_BRIGHT = [(255 if red else 85, 255 if green else 85, 255 if blue else 85) for red, green, blue in _DARK]
_SIXTEEN = TerminalTheme((0, 0, 0), (170, 170, 170), _DARK, _BRIGHT)
# Those without hue: black, dark grey, light grey, white.
_GREYS = tuple(RichColor.from_ansi(number) for number in (0, 8, 7, 15))


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
    """Keeps apart what a terminal of sixteen colours would paint as one: text, borders and bars on their background."""

    def apply(self, segments: Sequence[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text, style if style is None or text.isspace() else _legible(style), control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _legible(style: Style) -> Style:
    if style.color is None or style.bgcolor is None or style.color.is_default or style.bgcolor.is_default:
        return style
    meant = _contrast(style.color, style.bgcolor)
    shown, below = (each.downgrade(ColorSystem.STANDARD) for each in (style.color, style.bgcolor))
    is_text = meant >= _READ
    if meant == 1.0 or (_contrast(shown, below) >= _READ if is_text else shown.number != below.number):
        return style
    least = _READ if is_text else _SEEN
    # The faintest that will do, so that what is meant to stand back still does.
    fitting = [grey for grey in _GREYS if _contrast(grey, below) >= least]
    return style + Style(color=min(fitting, key=lambda grey: _contrast(grey, below)))


def _contrast(one: RichColor, other: RichColor) -> float:
    return contrast(*(Color(*each.get_truecolor(_SIXTEEN)) for each in (one, other)))
