"""The border of the store: what SQLite could not hold is made harmless or refused before it gets there."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from cbtui.core.problem import Problem
from cbtui.host.store.errors import OutOfRange

_LARGEST = 2**63 - 1


def storable(text: str) -> str:
    """`text` with lone surrogates and NULs spelled out (`\\udcff`): still told apart, and SQLite can hold it."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def whole(number: int) -> int:
    """Raises OutOfRange beyond 64 bits; the smallest value is out too, for it has no negative."""
    if not -_LARGEST <= number <= _LARGEST:
        # Such a number is not printed: Python refuses past 4,300 digits.
        raise OutOfRange(f"a number of {number.bit_length()} bits is too large")
    return int(number)


def finite(number: float) -> float:
    """Raises OutOfRange for infinities and NaN, which SQLite would turn into NULL."""
    if not math.isfinite(number):
        raise OutOfRange(f"{number} is no finite number")
    return float(number)


def path_to_bytes(path: Path) -> bytes:
    """The name as the file system has it: a name that is not UTF-8 can still be opened."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:  # no file has such a name
        return storable(str(path)).encode()


def path_from_bytes(data: bytes) -> Path:
    return Path(os.fsdecode(data))


def problems_to_json(problems: tuple[Problem, ...]) -> str:
    facts = [[storable(each.path), storable(each.message), each.line, each.column] for each in problems]
    return json.dumps(facts, separators=(",", ":"))


def problems_from_json(text: str) -> tuple[Problem, ...]:
    return tuple(Problem(path, message, line, column) for path, message, line, column in json.loads(text))
