"""Theme files: YAML that names colours. Each is checked before Textual sees it, which ends the app at a bad one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.color import Color
from textual.theme import Theme

from cbtui.core.clean import shown_path, visible
from cbtui.core.problem import InvalidFile, Problem
from cbtui.tui.colours import contrast, luminance, parse_colour

if TYPE_CHECKING:
    from cbtui.jobs.yaml_nodes import Document, KeyPath, Value

# A theme is some twenty short lines.
_MOST_BYTES = 64 << 10
_MOST_FILES = 200
# Text of less contrast than that cannot be made out, and with it the way to another theme.
_LEAST_CONTRAST = 2.0

_NEEDED = ("foreground", "background", "primary", "success", "warning", "error")
_DERIVED = ("surface", "panel", "secondary", "accent")
_KEYS = ("name", "dark", *_NEEDED, *_DERIVED, "variables")
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_STYLES = ("none", "bold", "italic", "underline", "reverse", "strike")
# How far from the background towards the foreground: dialogues, bars, and the lines around things.
_SURFACE, _PANEL, _LINES = 0.05, 0.1, 0.3
# How far towards the primary colour: the line under the cursor, on which every state can be read; a scrollbar.
_CURSOR, _SCROLLBAR = 0.2, 0.7
# What a scrollbar runs on.
_TRACKS = (
    "scrollbar-background",
    "scrollbar-background-hover",
    "scrollbar-background-active",
    "scrollbar-corner-color",
)

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Themes:
    """Themes by name, each with the file it comes from, and what is wrong with other files."""

    found: Mapping[str, tuple[Theme, Path]] = field(default_factory=dict)
    broken: Mapping[Path, InvalidFile] = field(default_factory=dict)


def shipped_folder() -> Path | None:
    """The folder of themes that come along: inside the package in a wheel, beside it in a checkout."""
    candidates = (_PACKAGE / "themes", _PACKAGE.parent / "themes")
    return next((folder for folder in candidates if (folder / "dark.yaml").is_file()), None)


def read_themes(folders: Iterable[Path]) -> Themes:
    """The themes of all folders; those of a later one take the place of others with their name."""
    found: dict[str, tuple[Theme, Path]] = {}
    broken: dict[Path, InvalidFile] = {}
    for folder in folders:
        here = _read_folder(folder)
        found |= here.found
        broken |= here.broken
    return Themes(found, broken)


def _read_folder(folder: Path) -> Themes:
    found: dict[str, tuple[Theme, Path]] = {}
    broken: dict[Path, InvalidFile] = {}
    try:
        paths = sorted(path for path in folder.iterdir() if _is_theme(path.name))
    except FileNotFoundError:
        return Themes()
    except OSError as error:
        return Themes({}, {folder: _invalid(folder, f"cannot be read: {error.strerror}")})
    for path in paths[:_MOST_FILES]:
        try:
            theme = read_theme(path)
        except InvalidFile as error:
            broken[path] = error
            continue
        if theme.name in found:
            other = found[theme.name][1].name
            broken[path] = _invalid(path, f"name: '{theme.name}' is the name of the theme in {visible(other)} already")
        else:
            found[theme.name] = (theme, path)
    return Themes(found, broken)


def _is_theme(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


def read_theme(path: Path) -> Theme:
    """The theme in a file. Raises InvalidFile with all that is wrong."""
    # They take their time to import, and a screen in the colours it is born with needs neither.
    from cbtui.jobs.safe_open import YAML_LIMIT, read_text
    from cbtui.jobs.yaml_nodes import parse_yaml

    # People keep their settings elsewhere and link to them; a link that leads in a circle is left as it is.
    real = Path(os.path.realpath(path))
    if real.is_file() and real.stat().st_size > _MOST_BYTES:
        raise _invalid(path, f"is larger than {_MOST_BYTES >> 10} KiB: a theme is a few colours")
    try:
        document = parse_yaml(read_text(real, limit=YAML_LIMIT), shown_path(path), what="a theme file")
    except InvalidFile as error:
        shown = (shown_path(real), shown_path(path))
        raise InvalidFile(tuple(_named(problem, *shown) for problem in error.problems)) from None
    theme = _Reading(document).theme(path.stem)
    if document.problems:
        raise InvalidFile(tuple(sorted(document.problems, key=lambda each: (each.line or 0, each.column or 0))))
    assert theme is not None
    return theme


def _named(problem: Problem, real: str, shown: str) -> Problem:
    return Problem(shown if problem.path == real else problem.path, problem.message, problem.line, problem.column)


class _Reading:
    """Makes a theme of a document, and adds what is wrong to the problems of that."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def theme(self, stem: str) -> Theme | None:
        """None where anything is wrong."""
        from cbtui.jobs.values import did_you_mean

        given = self._document.values
        for key in given:
            if key not in _KEYS:
                self._say((key,), f"there is no such key{did_you_mean(key, _KEYS)}")
        name = self._name(given.get("name"), stem)
        dark = self._truth(given.get("dark"))
        colours = {key: self._colour((key,), given[key]) for key in (*_NEEDED, *_DERIVED) if key in given}
        variables = dict(self._variables(given.get("variables")))
        missing = [key for key in _NEEDED if key not in given and (key,) not in self._document.broken]
        if missing:
            self._say((), f"a theme also needs {', '.join(missing)}")
        known = {key: colour for key, colour in colours.items() if colour is not None}
        if {"foreground", "background"} <= known.keys():
            self._check_contrast(known["foreground"], known["background"])
        return None if self._document.problems else _theme(name, dark, known, variables)

    def _say(self, place: KeyPath, message: str) -> None:
        self._document.problems.append(self._document.origin(place).problem(message))

    def _name(self, value: Value, stem: str) -> str:
        name = stem if value is None else str(value) if isinstance(value, str) else ""
        if not _NAME.fullmatch(name):
            self._say(("name",), "must be up to 40 letters, digits, - and _")
        return name

    def _truth(self, value: Value) -> bool | None:
        from cbtui.jobs.yaml_nodes import resolve

        found = resolve(value)
        if not isinstance(found, bool | None):
            self._say(("dark",), "must be true or false")
            return None
        return found

    def _colour(self, place: KeyPath, value: Value, *, opaque: bool = True) -> Color | None:
        if value is None:
            self._say(place, 'has no colour: put it in quotes ("#ff8800"), since # begins a comment')
            return None
        try:
            return parse_colour(value, opaque=opaque)
        except ValueError as error:
            self._say(place, str(error))
            return None

    def _variables(self, value: Value) -> Iterator[tuple[str, str]]:
        from cbtui.jobs.values import did_you_mean

        if value is None:
            return
        if not isinstance(value, dict):
            self._say(("variables",), "must be a mapping of names to colours")
            return
        known = _variable_names()
        for name, each in value.items():
            place = ("variables", name)
            if name not in known:
                self._say(place, f"there is no such variable{did_you_mean(name, known)}")
            elif _is_style(name):
                words = each.casefold().split() if isinstance(each, str) else []
                if words and set(words) <= set(_STYLES):
                    yield name, " ".join(words)
                else:
                    self._say(place, f"must be words of {', '.join(_STYLES)}")
            else:
                colour = self._colour(place, each, opaque=False)
                if colour is not None:
                    yield name, colour.hex

    def _check_contrast(self, foreground: Color, background: Color) -> None:
        found = contrast(foreground, background)
        if found < _LEAST_CONTRAST:
            self._say(
                ("foreground",), f"cannot be read on this background: the contrast is {found:.1f}, and 4.5 is good"
            )


def _theme(name: str, dark: bool | None, colours: Mapping[str, Color], variables: Mapping[str, str]) -> Theme:
    """A theme with everything that its file left open; Textual's own defaults do not look at the background."""
    foreground, background = colours["foreground"], colours["background"]
    colours = {
        "surface": background.blend(foreground, _SURFACE, 1),
        "panel": background.blend(foreground, _PANEL, 1),
        "secondary": colours["primary"],
        "accent": colours["primary"],
        **colours,
    }
    given: dict[str, Any] = {key: colour.hex for key, colour in colours.items()}
    is_dark = luminance(background) < luminance(foreground) if dark is None else dark
    ours = _variables(foreground, background, colours["primary"])
    return Theme(name, dark=is_dark, variables={**ours, **variables}, **given)


def _variables(foreground: Color, background: Color, primary: Color) -> dict[str, str]:
    """What Textual would make of these colours otherwise: lines that are not seen, and a cursor that hides states."""
    return {
        "surface-lighten-2": background.blend(foreground, _LINES, 1).hex,
        "block-cursor-background": background.blend(primary, _CURSOR, 1).hex,
        "block-cursor-foreground": foreground.hex,
        "block-cursor-blurred-background": background.blend(primary, _CURSOR / 2, 1).hex,
        "scrollbar": background.blend(primary, _SCROLLBAR, 1).hex,
        **dict.fromkeys(_TRACKS, background.blend(foreground, _SURFACE, 1).hex),
    }


def _variable_names() -> frozenset[str]:
    return frozenset(Theme("any", primary="blue").to_color_system().generate())


def _is_style(name: str) -> bool:
    return name.endswith(("-style", "-style-hover"))


def _invalid(path: Path, message: str) -> InvalidFile:
    return InvalidFile((Problem(shown_path(path), message),))
