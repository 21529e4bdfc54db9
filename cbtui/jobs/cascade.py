"""Settings that complete each other: the user's, then job.yaml of each folder on the way down, then the task file.

Each file is a layer, checked by itself: a mistake is reported at its own place, also where a lower layer overrides it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cbtui.core.clean import shown_path
from cbtui.core.problem import InvalidFile, Problem
from cbtui.jobs.cbpipe import is_cbpipe, translate
from cbtui.jobs.references import Finder
from cbtui.jobs.safe_open import YAML_LIMIT, read_text
from cbtui.jobs.scan import FOLDER_SETTINGS
from cbtui.jobs.schema import check
from cbtui.jobs.yaml_nodes import Document, KeyPath, Origin, find_origin, parse_yaml

# The mapping of the user's settings.yaml that is about the program.
_APP = "app"


@dataclass(frozen=True, slots=True)
class Layer:
    """One settings file, checked: typed values, files as absolute paths, and the place of each.

    `broken` names settings that are left out because of a problem. `pipeline` means the form of cbpipe.
    """

    path: str
    values: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict)
    broken: frozenset[KeyPath] = frozenset()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    pipeline: bool = False


def make_layer(document: Document, finder: Finder) -> Layer:
    """Check one file's settings, in either form, and find the files that they name."""
    warnings: tuple[Problem, ...] = ()
    pipeline = is_cbpipe(document.values)
    if pipeline:
        document, warnings = translate(document)
    checked = check(document.values)
    faults = dict(checked.faults)
    finder = Finder(finder.base, finder.root, pipeline)
    for place in _named_files(checked.values):
        _find(checked.values, place, finder, faults)
    if checked.values.get("text") is not None and checked.values.get("text_file") is not None:
        faults["text_file",] = "give either 'text' or 'text_file', not both"
    problems = document.problems + [document.origin(place).problem(message) for place, message in faults.items()]
    return Layer(
        path=document.path,
        values=checked.values,
        origins=document.origins,
        broken=frozenset(document.broken | faults.keys() | checked.meant),
        problems=tuple(problems),
        warnings=warnings,
        pipeline=pipeline,
    )


def merge(layers: Iterable[Layer], path: str) -> Layer:
    """All layers as one, the last winning; mappings merge deeply. `path` is the task file's name in problems.

    `null` for a setting means its built-in default; for a mapping it means nothing.
    """
    values: dict[str, Any] = {}
    origins: dict[KeyPath, Origin] = {}
    broken: set[KeyPath] = set()
    problems: list[Problem] = []
    warnings: list[Problem] = []
    pipeline = False
    for layer in layers:
        if layer.values.get("text") is not None:
            values.pop("text_file", None)
        if layer.values.get("text_file") is not None:
            values.pop("text", None)
        _merge_into(values, layer.values)
        origins.update(layer.origins)
        broken |= layer.broken
        problems += layer.problems
        warnings += layer.warnings
        pipeline = layer.pipeline
    return Layer(path, values, origins, frozenset(broken), tuple(problems), tuple(warnings), pipeline)


def origin_of(layer: Layer, *key_path: str) -> Origin:
    """Where a setting of a layer was written."""
    return find_origin(layer.origins, key_path, layer.path)


class Cascade:
    """The layers around the task files of one root. Each settings file is read once in its life.

    `overrides` are checked settings that win over every file.
    """

    def __init__(self, root: Path, user_settings: Path | None, overrides: Mapping[str, str] | None = None) -> None:
        self.root = root
        self._user_settings = user_settings
        self._overrides = overrides or {}
        self._layers: dict[Path, Layer | None] = {}

    def moved_to(self, root: Path) -> Cascade:
        """The same user's settings above another root."""
        return Cascade(root, self._user_settings, self._overrides)

    def below(self, task: Layer) -> list[Layer]:
        """What wins over a task file's own layer."""
        if not self._overrides:
            return []
        return [Layer("the command line", dict(self._overrides), pipeline=task.pipeline)]

    def above(self, path: Path) -> list[Layer]:
        """The layers that a task file at `path` (absolute, inside the root) builds on, uppermost first."""
        folders = [self.root]
        for part in path.parent.relative_to(self.root).parts:
            folders.append(folders[-1] / part)
        files = [folder / FOLDER_SETTINGS for folder in folders if folder / FOLDER_SETTINGS != path]
        layers = [self._layer(file, Finder(file.parent, self.root)) for file in files]
        if self._user_settings is not None:
            # The user's own file may be a link into a collection of dotfiles.
            settings = Path(os.path.realpath(self._user_settings))
            layers.insert(0, self._layer(settings, Finder(self._user_settings.absolute().parent, None)))
        return [layer for layer in layers if layer is not None]

    def _layer(self, path: Path, finder: Finder) -> Layer | None:
        if path not in self._layers:
            self._layers[path] = _read_layer(path, finder)
        return self._layers[path]


def _read_layer(path: Path, finder: Finder) -> Layer | None:
    """The layer that a settings file makes; None where there is no such file."""
    try:
        path.lstat()
    except OSError:
        return None
    shown = shown_path(path)
    try:
        document = parse_yaml(read_text(path, limit=YAML_LIMIT), shown, what="a settings file")
    except InvalidFile as error:
        return Layer(shown, problems=error.problems)
    if finder.root is None:
        document.values.pop(_APP, None)
    return make_layer(document, finder)


def _named_files(values: Mapping[str, Any]) -> list[KeyPath]:
    places: list[KeyPath] = [("text_file",), ("reference",)]
    return places + [("speakers", name, "reference") for name in values.get("speakers") or ()]


def _find(values: dict[str, Any], place: KeyPath, finder: Finder, faults: dict[KeyPath, str]) -> None:
    """Put the resolved path in the place of the written one."""
    holder: Any = values
    for key in place[:-1]:
        holder = holder[key]
    written = holder.get(place[-1])
    if written is None:
        return
    try:
        holder[place[-1]] = finder.text(written) if place[-1] == "text_file" else finder.clip(written)
    except ValueError as error:
        faults[place] = str(error)
        del holder[place[-1]]


def _merge_into(target: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping):
            below = target.get(key)
            target[key] = dict(below) if isinstance(below, Mapping) else {}
            _merge_into(target[key], value)
        elif value is not None or not isinstance(target.get(key), Mapping):
            target[key] = value
