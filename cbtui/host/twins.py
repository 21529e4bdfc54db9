"""Two files that make one task: the second keeps a place in the queue, under another name, and says what to do."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cbtui.core.clean import shown_path
from cbtui.core.problem import Problem
from cbtui.host.store import FoundTask


def as_second(found: FoundTask, other: Path, *, is_free: Callable[[str], bool]) -> FoundTask:
    """The task as an invalid one, under the first name that is free; `other` is the file that has its own name."""
    message = f"makes the same task '{found.id}' as {shown_path(other)}: rename one of them"
    problems = found.problems or (Problem(shown_path(found.source), message),)
    second = f"{found.id}{found.source.suffix}"
    names = itertools.chain([second], (f"{second}.{number}" for number in itertools.count(3)))
    name = next(name for name in names if is_free(name))
    return replace(found, id=name, problems=problems, digest="", finished=None)
