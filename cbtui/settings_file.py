"""Reading the mapping `app` of the user's settings.yaml: what each setting must be, said in plain words."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cbtui.actions import actions
from cbtui.core.clean import shown_path
from cbtui.core.problem import InvalidFile, Problem
from cbtui.core.task import MAX_BATCH, PRECISIONS
from cbtui.jobs import values
from cbtui.jobs.safe_open import YAML_LIMIT, read_text
from cbtui.jobs.yaml_nodes import Document, KeyPath, Value, parse_yaml, resolve
from cbtui.settings_keys import check_keys

LOG_LEVELS = ("debug", "info", "warning", "error")
NOTIFY = ("off", "bell", "osc9")
MAX_OVERTAKE = 1000

_SECTION = "app"
_DAY = 86_400
_UNITS = {"": 1, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "day": _DAY}
_DURATION = re.compile(rf"([0-9]+(?:\.[0-9]+)?) *({'|'.join(_UNITS)})s?")
# What people write who do not want something.
_NO = ("no", "false")
_NEVER = ("never", "off", *_NO)
# Words that only mean something to a shell, which no command meets.
_OF_SHELLS = frozenset({"|", "||", "&", "&&", ";", "<", ">", ">>"})

Check = Callable[[Value], Any]


def read_values(path: Path) -> dict[str, Any]:
    """What the file sets, by the names of `Settings`, `HostOptions` and, in `hooks`, `HookCommands`.

    Raises InvalidFile with all that is wrong.
    """
    document = parse_yaml(read_text(path.resolve(), limit=YAML_LIMIT), shown_path(path), what="a settings file")
    problems = [problem for problem in document.problems if f"{_SECTION}." in problem.message]
    base = path.resolve().parent
    found = _read(document, (_SECTION,), document.values.get(_SECTION), _checks(base), problems)
    found["hooks"] = _read(document, (_SECTION, "hooks"), found.get("hooks"), _hook_checks(base), problems)
    found["keys"] = _read(document, (_SECTION, "keys"), found.get("keys"), _key_checks(), problems, what="action")
    if problems:
        raise InvalidFile(tuple(problems))
    return found


def _read(
    document: Document,
    place: KeyPath,
    section: Value,
    checks: Mapping[str, Check],
    problems: list[Problem],
    *,
    what: str = "setting",
) -> dict[str, Any]:
    """The checked values of one mapping, without those that mean the default; what is wrong goes to `problems`."""
    if section is None:
        return {}
    if not isinstance(section, dict):
        problems.append(document.origin(place).problem("must be a mapping of settings"))
        return {}
    found: dict[str, Any] = {}
    for name, value in section.items():
        origin = document.origin((*place, name))
        if name not in checks:
            problems.append(origin.problem(f"unknown {what}{values.did_you_mean(name, checks)}"))
            continue
        try:
            found[name] = checks[name](value)
        except ValueError as error:
            problems.append(origin.problem(str(error)))
    return {name: value for name, value in found.items() if value is not None}


def _checks(base: Path) -> dict[str, Check]:
    """A check for each setting; it gives the value, or raises ValueError in plain words. Paths begin at `base`."""

    def folder(value: Value) -> str | None:
        named = values.path(value)
        return None if named is None else _absolute(named, base)

    return {
        **dict.fromkeys(("jobs_dir", "output_dir", "state_dir", "model_dir"), folder),
        "device": values.line,
        "precision": values.choice(PRECISIONS),
        "batch": values.whole(1, MAX_BATCH),
        "log_level": values.choice(LOG_LEVELS),
        "idle_unload": _idle_unload,
        "overtake": values.whole(0, MAX_OVERTAKE),
        "hooks": lambda value: value,
        "notify": _notify,
        "theme": values.line,
        "keys": lambda value: value,
    }


def _hook_checks(base: Path) -> dict[str, Check]:
    def command(value: Value) -> tuple[str, ...] | None:
        return _command(value, base)

    return {
        **dict.fromkeys(("task_done", "task_failed", "queue_empty"), command),
        "seconds": _duration(_DAY),
    }


def _key_checks() -> dict[str, Check]:
    return dict.fromkeys(actions(), check_keys)


def _command(value: Value, base: Path) -> tuple[str, ...] | None:
    """A command as the list of its words; without any it means none.

    Text is split into words as a shell does it, with quotes and backslashes, but no shell runs it: there are no
    variables, wildcards or pipes. A program given as a path is found from the folder `base` on, or with `~`.
    """
    if value is None:
        return None
    if isinstance(value, list):
        words = [_word(each, number) for number, each in enumerate(value, start=1)]
    elif isinstance(value, str):
        words = _split(value)
    else:
        raise ValueError(f"must be a command: text, or a list of words, not {values.quote(value)}")
    if words and not words[0].strip():
        raise ValueError("must begin with the name of a program")
    if words and (words[0].startswith("~") or "/" in words[0]):
        words[0] = _absolute(words[0], base)
    return tuple(words)


def _word(value: Value, number: int) -> str:
    if not isinstance(value, str):
        hint = "is empty: write '' if that is meant" if value is None else f"must be text, not {values.quote(value)}"
        raise ValueError(f"word {number} {hint}")
    return str(value)


def _split(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError:
        raise ValueError("has a quote or a backslash without its end: write a list of words instead") from None
    if found := next((word for word in words if word in _OF_SHELLS), None):
        raise ValueError(f"'{found}' needs a shell, and none runs it: write [sh, -c, '...']")
    return words


def _duration(most: float, *, why: str = "") -> Callable[[Value], float | None]:
    """A check for seconds above 0, up to `most`: a number, or a time with its unit."""
    in_range = values.number(0, most, above=True, low_why=why, high_why=why)

    def check(value: Value) -> float | None:
        if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip().casefold())):
            return in_range(float(found[1]) * _UNITS[found[2]])
        if value is not None and (isinstance(resolve(value), str | bool) or not isinstance(value, str)):
            raise ValueError(f"must be seconds, or a time such as '30 min' or '2 h', not {values.quote(value)}")
        return in_range(value)

    return check


def _idle_unload(value: Value) -> float | None:
    """Seconds; None means never."""
    if isinstance(value, str) and value.casefold() in _NEVER:
        return None
    return _duration(10 * _DAY, why="'never' keeps models in memory")(value)


def _notify(value: Value) -> str | None:
    if isinstance(value, str) and value.casefold() in _NO:
        return "off"
    return values.choice(NOTIFY)(value)


def _absolute(named: str, base: Path) -> str:
    # Unlike Path's, this one leaves a tilde of nobody's alone.
    return str((base / os.path.expanduser(named)).absolute())  # noqa: PTH111
