"""The program's own settings: the mapping `app` of the user's settings.yaml. Beside it stand settings of tasks.

app:
  output_dir: ~/audiobooks
  model_dir: /models/chatterbox
  device: cuda
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cbtui.core.problem import InvalidFile
from cbtui.jobs import values
from cbtui.jobs.clean import shown_path
from cbtui.jobs.safe_open import YAML_LIMIT, read_text
from cbtui.jobs.yaml_nodes import parse_yaml

_SECTION = "app"
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds where the command line says nothing. Folders are absolute; None means the built-in default."""

    jobs_dir: str | None = None
    output_dir: str | None = None
    state_dir: str | None = None
    model_dir: str | None = None
    device: str | None = None
    log_level: str | None = None


def load_settings(path: Path) -> Settings:
    """The settings in a file of the user's; a missing file sets nothing. Raises InvalidFile with all that is wrong."""
    if not path.is_file():
        return Settings()
    document = parse_yaml(read_text(path.resolve(), limit=YAML_LIMIT), shown_path(path), what="a settings file")
    section = document.values.get(_SECTION) or {}
    problems = [problem for problem in document.problems if f"{_SECTION}." in problem.message]
    if not isinstance(section, dict):
        raise InvalidFile((document.origin((_SECTION,)).problem("must be a mapping of settings"),))
    checks = _checks(path.resolve().parent)
    found: dict[str, Any] = {}
    for name, value in section.items():
        place = document.origin((_SECTION, name))
        if name not in checks:
            problems.append(place.problem(f"unknown setting{values.did_you_mean(name, checks)}"))
            continue
        try:
            found[name] = checks[name](value)
        except ValueError as error:
            problems.append(place.problem(str(error)))
    if problems:
        raise InvalidFile(tuple(problems))
    return Settings(**found)


def _checks(base: Path) -> dict[str, Callable[[Any], str | None]]:
    """A check for each setting; it gives the value, or raises ValueError in plain words."""

    def folder(value: Any) -> str | None:
        named = values.path(value)
        return None if named is None else str((base / Path(named).expanduser()).absolute())

    checks: dict[str, Callable[[Any], str | None]] = {field.name: folder for field in fields(Settings)}
    return {**checks, "device": values.line, "log_level": values.choice(LOG_LEVELS)}
