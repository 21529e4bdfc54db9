"""The theme in use: which one a person wants, where it comes from, and what its file says by now.

What was asked for last holds: `--theme` for this run, then what was chosen in the app, then `app.theme` of
settings.yaml, then `dark`. A changed `app.theme` is newer than what was chosen before.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App
from textual.theme import Theme

from cbtui.core.clean import visible
from cbtui.core.problem import InvalidFile
from cbtui.paths import Places
from cbtui.tui.background import in_background
from cbtui.tui.theme_files import Themes, read_themes, shipped_folder

if TYPE_CHECKING:
    from cbtui.tui.app import CbtuiApp

log = logging.getLogger("cbtui.themes")

# What themes/dark.yaml says: the screen begins without reading anything.
DARK = Theme(
    "dark",
    foreground="#E4E6E8",
    background="#121416",
    surface="#1B1E22",
    panel="#262A30",
    primary="#5AA9F0",
    secondary="#9A86E8",
    accent="#F0B35A",
    success="#5FC97E",
    warning="#E8C14A",
    error="#F5757C",
    variables={
        "surface-lighten-2": "#515355",
        "block-cursor-background": "#203141",
        "block-cursor-foreground": "#E4E6E8",
        "block-cursor-blurred-background": "#19222B",
        "scrollbar": "#447CAE",
        "scrollbar-background": "#1C1E20",
        "scrollbar-background-hover": "#1C1E20",
        "scrollbar-background-active": "#1C1E20",
        "scrollbar-corner-color": "#1C1E20",
    },
)

# Where it comes from: this file.
_HERE = Path(__file__)
_BUILT_IN = {DARK.name: (DARK, _HERE)}

# A change counts when two looks saw the same, so it is shown within a second.
_LOOK_SECONDS = 0.5
_MOST_PROBLEMS = 3
_CHOSEN_BEFORE = "chosen before"
_MOST_BYTES = 10_000

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose in the app, and what settings.yaml said at that time."""

    name: str
    setting: str | None

    @staticmethod
    def read(path: Path) -> Choice | None:
        """None where nothing was chosen, or nobody can tell any more."""
        try:
            with path.open("rb") as file:
                kept = json.loads(file.read(_MOST_BYTES))
            name, setting = kept["chosen"], kept["setting"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            log.warning("the theme that was chosen is forgotten: %s: %r", path, error)
            return None
        return Choice(name, setting) if isinstance(name, str) and isinstance(setting, str | None) else None

    def write(self, path: Path) -> None:
        """Raises OSError."""
        from cbtui.atomic import write_json

        write_json(path, {"chosen": self.name, "setting": self.setting})


class Colours:
    """Keeps an app in the wanted theme. `given` is that of the command line, `setting` that of settings.yaml."""

    def __init__(self, app: CbtuiApp, places: Places, *, given: str | None, setting: str | None) -> None:
        self._app = app
        self._given = given
        self._setting = setting
        self._kept = places.state / "theme.json"
        # The folder of the person's own themes.
        self.own = places.config / "themes"
        self._themes = Themes(_BUILT_IN)
        # The file in use; None where it is gone.
        self._file: Path | None = _HERE
        self._used: tuple[Stamp, ...] = ()
        self._glimpsed: tuple[Stamp, ...] = ()
        self._told: dict[Path, Stamp] = {}
        self._unknown: list[str] = []
        # The theme in use, where that is one that the person chose in the app; None where another wish holds.
        self.chosen: str | None = None
        self._begin()

    @property
    def names(self) -> list[str]:
        """Those that can be chosen: what comes along first."""
        return sorted(self._themes.found, key=lambda name: (self.is_own(name), name != DARK.name, name))

    def is_own(self, name: str) -> bool:
        """Whether the theme is a file of the person's."""
        return self.file_of(name).parent == self.own

    def file_of(self, name: str) -> Path:
        return self._themes.found[name][1]

    def watch(self) -> None:
        """Tell what is wrong, now that it can be seen, and look at the file in use from here on."""
        for message in self._unknown:
            self._warn(message)
        if self._file == _HERE:
            in_background(self._app.screen, self._read, self._take)
        else:
            self._tell()
        self._app.set_interval(_LOOK_SECONDS, self._look)

    def read_again(self) -> None:
        """Take what all files say by now."""
        self._take(self._read())

    @property
    def shown(self) -> tuple[Theme, Path | None]:
        """What is on the screen, for `put_back`: its file may say something else by now, or be gone."""
        return self._app.current_theme, self._file

    def put_back(self, shown: tuple[Theme, Path | None]) -> None:
        theme, self._file = shown
        self._used = self._glimpsed = self._see()
        before = self._app.get_theme(theme.name)
        self._app.register_theme(theme)
        if not self._app.is_running:
            # There is nothing to repaint yet, and styles are read once.
            self._app.set_reactive(App.theme, theme.name)
            self._app.stylesheet.set_variables(self._app.get_css_variables())
            self._app.set_class(theme.dark, "-dark-mode", update=False)
            self._app.set_class(not theme.dark, "-light-mode", update=False)
        elif self._app.theme != theme.name:
            self._app.theme = theme.name
        elif theme != before:
            # Setting the name that is set already would do nothing.
            self._app.mutate_reactive(App.theme)

    def show(self, name: str) -> None:
        """Put the app in this theme, one of `names`."""
        self.put_back(self._themes.found[name])

    def choose(self, name: str) -> None:
        """Show this theme, now and the next time."""
        self.show(name)
        self.chosen = name
        try:
            Choice(name, self._setting).write(self._kept)
        except OSError as error:
            self._warn(f"this theme holds for this run alone: {self._kept} cannot be written: {error.strerror}")

    def _begin(self) -> None:
        """Before the first paint, which must not wait for YAML where the theme is the one that is built in."""
        wishes = [*self._wishes(), (DARK.name, "")]
        if wishes[0][0] != DARK.name or self.own.exists():
            self._themes = self._read()
        name, where = next(wish for wish in wishes if wish[0] in self._themes.found)
        self.chosen = name if where == _CHOSEN_BEFORE else None
        self._unknown = [
            f"{where}: there is no theme '{visible(wish)}'{self._meant(wish)}"
            for wish, where in itertools.takewhile(lambda each: each[0] != name, wishes)
        ]
        self.show(name)

    def _wishes(self) -> Iterator[tuple[str, str]]:
        """Names that were asked for, the one that counts first, each with where it was."""
        if self._given is not None:
            yield self._given, "--theme"
        choice = Choice.read(self._kept)
        if choice is not None and choice.setting == self._setting:
            yield choice.name, _CHOSEN_BEFORE
        if self._setting is not None:
            yield self._setting, "app.theme in settings.yaml"

    def _meant(self, wish: str) -> str:
        from cbtui.jobs.values import did_you_mean

        return did_you_mean(wish, self._themes.found) or f": there are {', '.join(self.names)}"

    def _read(self) -> Themes:
        shipped = shipped_folder()
        read = read_themes([*([shipped] if shipped else []), self.own])
        return Themes({**_BUILT_IN, **read.found}, read.broken)

    def _take(self, read: Themes) -> None:
        self._themes = read
        self._tell()
        named = (name for name, (_, path) in read.found.items() if path == self._file)
        name = next(named, self._app.theme)
        if self._file not in read.broken and name in read.found:
            self.show(name)
            return
        # What is on the screen stays there.
        self._used = self._glimpsed = self._see()
        if self._file is not None and self._file not in read.broken:
            self._file = None
            self._warn(f"the theme {name} is gone; its colours stay until you choose others")

    def _tell(self) -> None:
        """Say what is wrong with files, once for each state of them."""
        found = {path: _stamp(path) for path in self._themes.broken}
        for path, stamp in found.items():
            if self._told.get(path, ()) != stamp:
                self._warn(_short(self._themes.broken[path]))
        self._told = found

    def _warn(self, message: str) -> None:
        log.warning("%s", message)
        self._app.notify(message, title="theme", severity="warning", markup=False, timeout=15)

    def _look(self) -> None:
        """A file may be half written when its change is first seen."""
        now = self._see()
        if now != self._glimpsed:
            self._glimpsed = now
        elif now != self._used:
            self.read_again()

    def _see(self) -> tuple[Stamp, ...]:
        return tuple(_stamp(path) for path in (self.own, self._file) if path is not None)


def _stamp(path: Path) -> Stamp:
    """What changes when a file does; nothing for one that is not there."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _short(error: InvalidFile) -> str:
    lines = [str(problem) for problem in error.problems]
    more = len(lines) - _MOST_PROBLEMS
    return "\n".join([*lines[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])
