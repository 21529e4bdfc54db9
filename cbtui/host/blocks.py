"""Tasks that wait for a cause to go, not for a person: what the cause is, and when to see whether it went."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Cause = Literal["engine", "memory", "disk", "in use"]

# Seconds until a cause is looked at again: at first, and at most. Each look in vain doubles them.
_PATIENCE: dict[Cause, tuple[float, float]] = {
    "engine": (15.0, 300.0),
    "memory": (30.0, 600.0),
    "disk": (2.0, 30.0),
    "in use": (2.0, 10.0),
}
# As much as the smallest files of a run take together; what needs more is refused again, before it is written.
_PROBE_BYTES = 1 << 20


@dataclass(slots=True)
class Block:
    """`tasks` wait for one cause; `due` is a moment of the monotonic clock. `place`: the folder of a full disk.

    `probe` is the task that was let go to find out whether the cause is gone; the others wait for what comes of it.
    """

    cause: Cause
    key: str
    reason: str
    due: float
    wait: float
    tasks: list[str] = field(default_factory=list)
    place: Path | None = None
    probe: str = ""


class Blocks:
    """Every block there is, by cause and key: a model, a task or a folder.

    Belongs to the engine's thread, but for `full_disk`.
    """

    def __init__(self) -> None:
        self._blocks: dict[tuple[Cause, str], Block] = {}

    def add(
        self, cause: Cause, key: str, tasks: list[str], *, reason: str, now: float, place: Path | None = None
    ) -> Block:
        """Hold tasks back; the same cause again makes for a longer wait."""
        first, longest = _PATIENCE[cause]
        block = self._blocks.get((cause, key))
        if block is None:
            block = self._blocks[cause, key] = Block(cause, key, reason, now + first, first, place=place)
        elif now >= block.due:
            block.wait = min(block.wait * 2, longest)
            block.due = now + block.wait
            block.probe = ""
        block.reason = reason
        block.tasks = list(dict.fromkeys([*block.tasks, *tasks]))
        return block

    def holding(self, cause: Cause, key: str, *, now: float) -> Block | None:
        """The block that a task would run into, while it is not time to try again."""
        block = self._blocks.get((cause, key))
        return block if block is not None and now < block.due else None

    def due(self, now: float) -> list[Block]:
        return [block for block in self._blocks.values() if now >= block.due and block.tasks]

    def next_due(self) -> float | None:
        return min((block.due for block in self._blocks.values() if block.tasks and not block.probe), default=None)

    def remove(self, cause: Cause, key: str) -> Block | None:
        """The cause is gone; returns the block there was."""
        return self._blocks.pop((cause, key), None)

    def make_due(self, now: float) -> None:
        """See at once whether the causes are gone."""
        for block in self._blocks.values():
            block.due, block.probe = min(block.due, now), ""

    def forget(self, task: str, *, written: bool) -> None:
        """This task is through: the next trouble of its own begins anew, and what was `written` found room."""
        self.remove("memory", task)
        self.remove("in use", task)
        if written:
            self._blocks = {key: each for key, each in self._blocks.items() if each.tasks or each.cause != "disk"}

    @property
    def full_disk(self) -> Block | None:
        """While there is one that tasks wait for, nothing can be rendered. May be asked by any thread."""
        return next((block for block in list(self._blocks.values()) if block.cause == "disk" and block.tasks), None)


def has_room(place: Path) -> bool:
    """Whether something can be written in this folder, or the nearest one above it that exists; tried, not asked.

    What the file system says of its free space knows nothing of quotas.
    """
    while not os.path.isdir(place) and place != place.parent:  # noqa: PTH112 - is_dir raises where one may not look
        place = place.parent
    probe = place / f".{secrets.token_hex(8)}.part"
    try:
        with probe.open("xb") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # What else is wrong there, the task will say better.
        return error.errno not in {errno.ENOSPC, errno.EDQUOT}
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return True
