"""Every setting as it is: the value in force, where that comes from, and what the file says by now."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cbtui.core.clean import shown_path, visible
from cbtui.core.durations import format_seconds
from cbtui.core.problem import InvalidFile, Problem
from cbtui.jobs.cascade import Cascade, Layer, merge
from cbtui.jobs.safe_open import YAML_LIMIT, read_text
from cbtui.jobs.yaml_nodes import KeyPath, Origin, parse_yaml
from cbtui.paths import Places
from cbtui.settings import Settings, load_settings
from cbtui.settings_catalogue import APP, OVERRIDES, TASKS, Known

_BUILT_IN = "built-in"
_COMMAND_LINE = "command line"
_SECONDS = frozenset({"app.idle_unload", "app.hooks.seconds"})


@dataclass(frozen=True, slots=True)
class Listed:
    """`value` is in force, for people; `source` names its place. `later` is what holds from the next start on."""

    known: Known
    value: str
    source: str
    later: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """`problems` are those of the files, each with its place and the file's bare name."""

    settings: tuple[Listed, ...]
    problems: tuple[str, ...] = ()


def list_settings(places: Places, started_with: Settings, given: Mapping[str, str]) -> Listing:
    """All settings of a process that began with `started_with` and with these common options given.

    Those of the program hold from start to end; those of tasks are read anew with each task.
    """
    file = places.user_settings
    problems: list[Problem] = []
    now = started_with
    origins: Mapping[KeyPath, Origin] = {}
    try:
        now = load_settings(file)
        origins = _origins(file)
    except InvalidFile as error:
        problems += error.problems
    tasks = _layers(places)
    problems += [problem for problem in tasks.problems if problem not in problems]
    app = _App(places, started_with, now, given, origins)
    return Listing((*map(app.list, APP), *_tasks(tasks, given)), tuple(map(_told, problems)))


def _origins(file: Path) -> Mapping[KeyPath, Origin]:
    if not file.is_file():
        return {}
    return parse_yaml(read_text(file.resolve(), limit=YAML_LIMIT), shown_path(file), what="a settings file").origins


def _layers(places: Places) -> Layer:
    """The settings that a task right in the jobs directory builds on."""
    cascade = Cascade(Path(os.path.abspath(places.jobs)), places.user_settings)  # noqa: PTH100 - keeps '..'
    return merge(cascade.above(cascade.root / "-"), "")


@dataclass(frozen=True, slots=True)
class _App:
    places: Places
    before: Settings
    now: Settings
    given: Mapping[str, str]
    origins: Mapping[KeyPath, Origin]

    def list(self, known: Known) -> Listed:
        name = known.name.removeprefix("app.")
        before, now = _value_of(self.before, name), _value_of(self.now, name)
        is_default = before == _value_of(Settings(), name)
        place = _place(self.origins.get(("app", *name.split("."))))
        value, source = _words(known, before), _BUILT_IN if is_default else place or "settings.yaml, since changed"
        if name in self.given:
            return Listed(known, visible(self.given[name]), _COMMAND_LINE)
        if name in {"jobs_dir", "output_dir"}:
            folder = self.places.jobs if name == "jobs_dir" else self.places.output
            value = visible(str(folder))
            if folder != (Path(before) if before else Path(name.removesuffix("_dir")).absolute()):
                source = _COMMAND_LINE
        elif name == "state_dir":
            value = visible(str(self.places.state))
        later = "" if before == now else f"{_words(known, now)}, {place or _BUILT_IN}"
        return Listed(known, value, source, later)


def _value_of(settings: Settings, name: str) -> Any:
    """A setting by its dotted name, wherever it lies in the settings as they are kept."""
    if name.startswith("hooks."):
        return getattr(settings.host.hooks, name.removeprefix("hooks."))
    if name in {field.name for field in fields(settings.host)}:
        return getattr(settings.host, name)
    return getattr(settings, name)


def _tasks(layer: Layer, given: Mapping[str, str]) -> Iterator[Listed]:
    for known in TASKS:
        if known.name in OVERRIDES and OVERRIDES[known.name] in given:
            yield Listed(known, visible(given[OVERRIDES[known.name]]), _COMMAND_LINE)
            continue
        path = tuple(known.name.split("."))
        value: Any = layer.values
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            yield Listed(known, known.default, _BUILT_IN)
        else:
            yield Listed(known, _words(known, value), _place(layer.origins.get(path)))


def _told(problem: Problem) -> str:
    return visible(str(replace(problem, path=Path(problem.path).name)))


def _place(origin: Origin | None) -> str:
    """`settings.yaml:3`; the folder it lies in is said elsewhere."""
    if origin is None:
        return ""
    return visible(f"{Path(origin.path).name}:{origin.line}")


def _words(known: Known, value: Any) -> str:
    if value is None or value in ((), {}):
        return known.default
    if known.name in _SECONDS:
        return format_seconds(value)
    if isinstance(value, tuple):
        return visible(shlex.join(value))
    if isinstance(value, Mapping):
        return visible(
            ", ".join(f"{key}: {each}" if isinstance(each, str) else str(key) for key, each in value.items())
        )
    return visible(f"{value:g}" if isinstance(value, float) else str(value))
