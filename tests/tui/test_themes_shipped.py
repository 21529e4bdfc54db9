"""The themes that come along: what can be read in them, and by whom."""

from __future__ import annotations

import itertools
import shutil
import tomllib
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

from cbtui.tui import theme_files
from cbtui.tui.colours import contrast
from cbtui.tui.theme_files import read_themes, shipped_folder
from cbtui.tui.themes import DARK

FOLDER = shipped_folder()
assert FOLDER is not None
SHIPPED = {name: theme for name, (theme, _) in read_themes([FOLDER]).found.items()}
STATES = ("foreground", "primary", "success", "warning", "error")
ROOT = Path(__file__).parents[2]

each_theme = pytest.mark.parametrize("theme", SHIPPED.values(), ids=SHIPPED.keys())

# What is left of colours for eyes without one kind of cone, on linear light: Machado, Oliveira and Fernandes 2009,
# https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/CVD_Simulation.html, severity 1.
BLINDNESS = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(getattr(theme, name))


def on_the_cursor(theme: Theme) -> Color:
    """The background of the line under the cursor of a list that has the focus."""
    return Color.parse(theme.variables["block-cursor-background"])


def test_these_come_along_without_a_mistake() -> None:
    assert FOLDER is not None
    assert read_themes([FOLDER]).broken == {}
    assert {"dark", "light", "high-contrast", "colour-blind", "amber"} <= set(SHIPPED)


def test_the_screen_begins_in_what_the_file_says() -> None:
    assert SHIPPED["dark"] == DARK


@each_theme
def test_text_can_be_read(theme: Theme) -> None:
    least = 7.0 if theme.name == "high-contrast" else 4.5
    for below in ("background", "surface", "panel"):
        assert contrast(colour(theme, "foreground"), colour(theme, below)) >= least, below


@each_theme
@pytest.mark.parametrize("state", [*STATES, "accent"])
def test_states_can_be_read_also_under_the_cursor(theme: Theme, state: str) -> None:
    least = 7.0 if theme.name == "high-contrast" else 4.5
    assert contrast(colour(theme, state), colour(theme, "background")) >= least
    assert contrast(colour(theme, state), on_the_cursor(theme)) >= 3.0


@each_theme
def test_what_stands_back_can_be_read_too(theme: Theme) -> None:
    muted = theme.variables.get("text-muted")
    background = colour(theme, "background")
    assert muted is None or contrast(Color.parse(muted), background) >= 4.5
    assert muted is None or contrast(Color.parse(muted), on_the_cursor(theme)) >= 3.0
    assert contrast(Color.parse(theme.variables["surface-lighten-2"]), background) >= 1.5


@each_theme
def test_the_memory_of_others_is_told_from_our_own(theme: Theme) -> None:
    assert distance(colour(theme, "primary").rgb, colour(theme, "secondary").rgb) > 20


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colour_blind_eyes_tell_states_apart(kind: str) -> None:
    theme = SHIPPED["colour-blind"]
    for one, other in itertools.combinations(STATES, 2):
        seen = [_as_seen(colour(theme, name), kind) for name in (one, other)]
        assert distance(*seen) > 20, (one, other)


def test_amber_is_one_hue() -> None:
    theme = SHIPPED["amber"]
    names = (*STATES, "background", "surface", "panel", "secondary", "accent")
    colours = [colour(theme, name) for name in names] + [Color.parse(each) for each in theme.variables.values()]
    hues = [each.hsl.h * 360 for each in colours]
    assert max(hues) - min(hues) < 12


def test_the_wheel_has_them_where_they_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    shutil.copytree(ROOT / "themes", tmp_path / wheel["force-include"]["themes"])
    monkeypatch.setattr(theme_files, "_PACKAGE", tmp_path / "cbtui")
    assert shipped_folder() == tmp_path / "cbtui/themes"


def distance(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """CIE76: the distance in CIELAB of two sRGB colours from 0 to 255, where 2.3 is just noticeable."""
    return sum((a - b) ** 2 for a, b in zip(_lab(one), _lab(other), strict=True)) ** 0.5


def _as_seen(seen: Color, kind: str) -> tuple[float, float, float]:
    linear = [_linear(part) for part in seen.rgb]
    parts = (sum(weight * part for weight, part in zip(row, linear, strict=True)) for row in BLINDNESS[kind])
    red, green, blue = (_encoded(min(1.0, max(0.0, part))) for part in parts)
    return red, green, blue


def _linear(part: float) -> float:
    part /= 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    return 255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055)


def _lab(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    red, green, blue = map(_linear, rgb)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (each ** (1 / 3) if each > 0.008856 else 7.787 * each + 16 / 116 for each in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)
