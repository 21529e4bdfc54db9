"""Which task is next: priorities before order, and among equals those first that need what is loaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cbtui.host.store import TaskRow


@dataclass(frozen=True, slots=True)
class Need:
    """What a task needs loaded: names of a model and of a voice."""

    model: str
    voice: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The task to render, and the ids of those before it that it goes ahead of. `spared` tells of a swap avoided."""

    task: TaskRow
    overtakes: tuple[str, ...]
    spared: bool


def choose(queued: Sequence[TaskRow], last: Need | None, loaded: Collection[str], most: int) -> Choice | None:
    """The next of the `queued` tasks, given in queue order; None where there is none.

    `last` is what was rendered last, `loaded` are the models in memory. No task is overtaken by more than `most`
    others; to look at more than `most` + 1 tasks changes nothing.
    """
    if not queued:
        return None
    equals: list[TaskRow] = []
    for task in queued[: most + 1]:
        if task.priority != queued[0].priority:
            break
        equals.append(task)
        if task.overtaken >= most:
            break
    costs = [_cost(task, last, loaded) for task in equals]
    index = costs.index(min(costs))
    return Choice(equals[index], tuple(task.id for task in equals[:index]), spared=index > 0)


def _cost(task: TaskRow, last: Need | None, loaded: Collection[str]) -> int:
    """0 where all is at hand; more for a voice, a model at hand, a model to be loaded."""
    if last is not None and task.model == last.model:
        return 0 if task.voice == last.voice else 1
    return 2 if task.model in loaded else 3
