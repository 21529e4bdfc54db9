"""The result of one check, and what all checks are asked about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cbtui.core.task import EngineName, ModelName
from cbtui.host.doctor.hub import HubAnswer
from cbtui.paths import Places

Status = Literal["ok", "info", "warning", "problem"]

GB = 1e9

# Not simply the first full stop: names of folders hold them too.
_ADVICE = re.compile(r"\. (?:Check|Choose|Complete|Connect|Install) ")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. Only a `problem` stops rendering.

    `detail` is one sentence without its full stop, with the figures seen; `fix` is what to type or do, '' when there
    is nothing to do.
    """

    name: str
    status: Status
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What rendering would be done with. `hub` waits for the hub's answer, which is asked for once."""

    places: Places
    engine: EngineName
    model: ModelName
    model_dir: Path | None
    device: str
    hub: Callable[[], HubAnswer]


def problems_in(checks: Iterable[Check]) -> int:
    """How many of the checks stop rendering."""
    return sum(check.status == "problem" for check in checks)


def without_advice(error: Exception) -> str:
    """What is the case, on one line, without the advice that messages of `EngineUnavailable` end with."""
    said = " ".join(str(error).split())
    return _ADVICE.split(said, maxsplit=1)[0].rstrip(".")
