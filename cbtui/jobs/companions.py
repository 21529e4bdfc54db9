"""Files that a task file names and that can go along with it: those that lie beside it and below its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbtui.core.clean import shown_path
from cbtui.core.problem import Problem
from cbtui.jobs.cbpipe import is_cbpipe, translate
from cbtui.jobs.plain_text import split_front_matter
from cbtui.jobs.references import Finder
from cbtui.jobs.safe_open import TEXT_LIMIT, YAML_LIMIT, read_text
from cbtui.jobs.scan import YAML_KINDS
from cbtui.jobs.schema import check
from cbtui.jobs.values import quote
from cbtui.jobs.yaml_nodes import Document, KeyPath, parse_yaml


@dataclass(frozen=True, slots=True)
class Companion:
    """`source` is a resolved path; `place` is the path that the task file writes, relative to that file's folder."""

    source: Path
    place: Path


@dataclass(frozen=True, slots=True)
class Companions:
    """The files that a task file names itself, apart from those that settings above it name.

    `problems` are of those that are missing, or cannot go along.
    """

    files: tuple[Companion, ...]
    problems: tuple[Problem, ...]


def find_companions(task_file: Path) -> Companions:
    """What must be copied along for a copy of `task_file` to find the same files. Raises InvalidFile."""
    document = _settings_in(task_file)
    pipeline = is_cbpipe(document.values)
    if pipeline:
        document, _ = translate(document)
    finder = Finder(task_file.parent, task_file.parent, pipeline)
    files: list[Companion] = []
    problems: list[Problem] = []
    for setting, written in _names_in(check(document.values).values):
        try:
            files.append(_companion(written, finder, is_text=setting == ("text_file",)))
        except ValueError as error:
            problems.append(document.origin(setting).problem(str(error)))
    return Companions(tuple(dict.fromkeys(files)), tuple(problems))


def _settings_in(path: Path) -> Document:
    shown = shown_path(path)
    if path.suffix.lower() in YAML_KINDS:
        return parse_yaml(read_text(path, limit=YAML_LIMIT), shown)
    document = parse_yaml(split_front_matter(read_text(path, limit=TEXT_LIMIT)).settings or "", shown)
    for key in ("text_file", "input"):
        document.values.pop(key, None)
    return document


def _names_in(values: Mapping[str, Any]) -> list[tuple[KeyPath, str]]:
    """Each setting that names a file, and the path that it gives."""
    found: list[tuple[KeyPath, str | None]] = [((key,), values.get(key)) for key in ("text_file", "reference")]
    for name, speaker in (values.get("speakers") or {}).items():
        found.append((("speakers", name, "reference"), speaker.get("reference")))
    return [(setting, written) for setting, written in found if written is not None]


def _companion(written: str, finder: Finder, *, is_text: bool) -> Companion:
    place = Path(os.path.normpath(written))
    if not place.is_absolute() and place.parts[:1] != (os.pardir,):
        found = finder.text(written) if is_text else finder.clip(written)
        # A file of that name may also have been found among the inputs of a cbpipe project.
        if found == Path(os.path.realpath(finder.base / written)):
            return Companion(found, place)
    raise ValueError(
        f"{quote(written)} cannot go along: copy it beside this file or into a folder there, "
        "and write its path from there"
    )
