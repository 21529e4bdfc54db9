"""How long it will take, from the measured speed of each model and voice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbtui.core.queue import Filter, TaskRow
from cbtui.core.status import WAITING

if TYPE_CHECKING:
    from cbtui.host.store import Store
    from cbtui.host.store.work import Amount, Speed

# Of each kind: more are neither rendered at once nor left half done by one host.
_LOOKED_AT = 20


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
    return pace.seconds(task.model, task.voice, task.characters * (1 - _share_done(task)))


def seconds_left(store: Store, pace: Pace) -> float | None:
    """Seconds until the queue is worked off; None where some of it was never measured. Raises StoreError."""
    rendering = store.queue.page(limit=_LOOKED_AT, only=Filter(states=("rendering",)))
    # What was interrupted keeps its place, so it comes first.
    begun = store.queue.next_queued(_LOOKED_AT)
    return queue_seconds(store.work.amounts("queued"), rendering, begun, pace)


def queue_seconds(
    waiting: Iterable[Amount], rendering: Iterable[TaskRow], begun: Iterable[TaskRow], pace: Pace
) -> float | None:
    """Seconds for all that waits, of which some tasks were `begun`, and for what is being rendered."""
    parts = [pace.seconds(each.model, each.voice, each.characters) for each in waiting]
    parts += [task_seconds(task, pace) for task in rendering]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    spared = (pace.seconds(task.model, task.voice, task.characters * _share_done(task)) or 0.0 for task in begun)
    return max(0.0, sum(known) - sum(spared))


def _share_done(task: TaskRow) -> float:
    """From 0 to 1: how much of a task, in chunks, there is already."""
    is_under_way = task.state in {*WAITING, "rendering"} and not task.fresh
    done, total = task.progress.chunks_done, task.progress.chunks_total
    return min(1.0, done / total) if is_under_way and total else 0.0
