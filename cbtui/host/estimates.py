"""How long it will take, from the measured speed of each model and voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbtui.core.queue import TaskRow

if TYPE_CHECKING:
    from cbtui.host.store.work import Amount, Speed


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that a character of text takes, by model and voice, and by model where the voice is new."""

    by_voice: dict[tuple[str, str], float]
    by_model: dict[str, float]

    @classmethod
    def of(cls, speeds: Iterable[Speed]) -> Pace:
        by_voice: dict[tuple[str, str], float] = {}
        sums: dict[str, tuple[float, float]] = {}
        for speed in speeds:
            if speed.characters > 0:
                by_voice[speed.model, speed.voice] = speed.seconds / speed.characters
                characters, seconds = sums.get(speed.model, (0.0, 0.0))
                sums[speed.model] = characters + speed.characters, seconds + speed.seconds
        return cls(by_voice, {model: seconds / characters for model, (characters, seconds) in sums.items()})

    def seconds(self, model: str, voice: str, characters: float) -> float | None:
        """None where this model was never measured here."""
        each = self.by_voice.get((model, voice), self.by_model.get(model))
        return None if each is None else each * characters


def task_seconds(task: TaskRow, pace: Pace) -> float | None:
    """Seconds of work that a task still needs; None where its model was never measured."""
    done, total = task.progress.chunks_done, task.progress.chunks_total
    left = (1 - done / total) if task.state == "rendering" and total else 1.0
    return pace.seconds(task.model, task.voice, task.characters * left)


def queue_seconds(waiting: Iterable[Amount], rendering: Iterable[TaskRow], pace: Pace) -> float | None:
    """Seconds until the queue is worked off; None where some of it was never measured."""
    parts = [pace.seconds(each.model, each.voice, each.characters) for each in waiting]
    parts += [task_seconds(task, pace) for task in rendering]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
