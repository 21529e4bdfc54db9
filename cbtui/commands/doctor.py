"""`cbtui doctor`: what would stop this machine from rendering, and the fix.

`--json` prints one object, version 1:

    {"version": 1, "usable": bool, "checks": [{"name": str, "status": str, "detail": str, "fix": str}, ...]}

`status` is `ok`, `info`, `warning` or `problem`; `usable` is true when no check is a `problem`. `detail` says what was
seen, `fix` what to type or do, '' when there is nothing to do. The exit status is 0 when usable, else 3.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from cbtui.commands import exits
from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.host.doctor import Check, Status

JSON_VERSION = 1

_GLYPHS: dict[Status, str] = {"ok": "✓", "info": "·", "warning": "!", "problem": "✗"}
_ASCII_GLYPHS: dict[Status, str] = {"ok": "+", "info": "-", "warning": "!", "problem": "x"}
# Select Graphic Rendition: green, dim, yellow, red (ECMA-48).
_COLOURS: dict[Status, str] = {"ok": "32", "info": "2", "warning": "33", "problem": "31"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    parser.add_argument("--offline", action="store_true", help="do not ask whether the hub can be reached")


def run(arguments: argparse.Namespace, places: Places) -> int:
    """Print what was found; gives 0 when rendering would work, else 3."""
    from cbtui.host.doctor import examine, problems_in

    with _silent_descriptors():
        checks = examine(
            places,
            engine=arguments.engine or "chatterbox",
            model=arguments.model or "english",
            model_dir=Path(arguments.model_dir).expanduser().absolute() if arguments.model_dir else None,
            device=arguments.device or "auto",
            offline=arguments.offline,
        )
    problems = problems_in(checks)
    lines = [_as_json(checks, usable=not problems)] if arguments.json else list(_as_text(checks, problems, sys.stdout))
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    return exits.UNAVAILABLE if problems else exits.DONE


def _as_json(checks: Sequence[Check], *, usable: bool) -> str:
    rows = [{"name": each.name, "status": each.status, "detail": each.detail, "fix": each.fix} for each in checks]
    return json.dumps({"version": JSON_VERSION, "usable": usable, "checks": rows}, indent=2)


def _as_text(checks: Sequence[Check], problems: int, stream: TextIO) -> Iterator[str]:
    from cbtui.core.clean import visible

    glyphs = _GLYPHS if _can_show("".join(_GLYPHS.values()), stream) else _ASCII_GLYPHS
    coloured = _wants_colour(stream)
    width = max(len(each.name) for each in checks)
    for check in checks:
        sign = f"{glyphs[check.status]} {check.status:<7}"
        if coloured:
            sign = f"\x1b[{_COLOURS[check.status]}m{sign}\x1b[0m"
        yield f"{sign}  {_showable(visible(f'{check.name:<{width}}  {check.detail}'), stream)}"
        if check.fix:
            yield f"{'':{2 + 7 + 2 + width + 2}}-> {_showable(visible(check.fix), stream)}"
    if problems:
        yield f"Rendering would not work: {problems} problem{'' if problems == 1 else 's'}."
    else:
        yield "Rendering would work."


def _can_show(text: str, stream: TextIO) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _showable(text: str, stream: TextIO) -> str:
    """`text` with what the stream cannot encode written as escapes: paths may hold anything."""
    encoding = stream.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _wants_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def _silent_descriptors() -> Iterator[None]:
    """C libraries write to descriptors 1 and 2 when they find a broken driver; what matters of it is in the checks."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number, _ in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
