"""Commands of viewers and scripts: what each verb does to the queue, and the answer to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cbtui.core.advice import RESUME, RETRY_FRESH
from cbtui.core.status import WAITING, IllegalTransition
from cbtui.host.store import Filter, OutOfRange, Store, TaskIsRendering, TaskRow, UnknownTask

_GLOB = frozenset("*?[")
_NAMED = 3


class Refused(Exception):
    """A command that cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`interrupt` names tasks whose rendering is to end: within a token, or at the next chunk border."""

    text: str
    interrupt: Mapping[str, bool]


Steps = Callable[[Store, TaskRow], str]
Telling = Callable[[Store, list[TaskRow]], str]


def obey(store: Store, verb: str, arguments: Mapping[str, Any]) -> Answer:
    """Carry out one command on the queue, inside the transaction that answers it.

    Raises Refused and StoreError; then the caller lets nothing of it stand.
    """
    names = arguments.get("tasks") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refused("tasks must be a list of names")
    if verb in {"pause", "resume"} and not names:
        return _halt(store, paused=verb == "pause")
    if verb == "move":
        return _move(store, names, arguments.get("place"))
    if verb == "shift":
        return _shift(store, names, arguments.get("by"))
    if verb not in _VERBS:
        raise Refused(f"this host knows no command {verb!r}")
    if not names:
        raise Refused(f"{verb} which tasks? Name some, or '*' for all.")
    done, step = _VERBS[verb]
    tell = _in_priorities if verb == "priority" else None
    return _each(store, names, done, lambda store, row: step(store, row, arguments), tell)


def _halt(store: Store, *, paused: bool) -> Answer:
    if store.meta.paused == paused:
        return Answer("the queue is paused already" if paused else "the queue was not paused", {})
    store.meta.set_paused(paused)
    if not paused:
        return Answer("the queue goes on", {})
    if not store.queue.count(Filter(states=("rendering",))):
        return Answer("the queue is paused", {})
    return Answer("the queue is paused; the chunk that is being rendered is finished", {})


def _move(store: Store, names: list[str], place: object) -> Answer:
    if not isinstance(place, int) or isinstance(place, bool):
        raise Refused("the position must be a whole number; 1 is next")
    if place < 1:
        raise Refused("positions begin at 1, which is next")
    rows = find_named(store, names)
    if _stand_at(store, rows, place):
        raise Refused(_already(rows, "first" if place == 1 else "there"))
    store.order.move_together([row.id for row in rows], place - 1)
    at = store.order.place(rows[0].id)
    if at is None:
        return Answer(f"{_these(rows)}: will stand at {place} once queued again", {})
    return Answer(f"{_these(rows)}: now at position {at + 1}", {})


def _stand_at(store: Store, rows: list[TaskRow], place: int) -> bool:
    """Whether a move to this position, or to the end before it, would leave each where it is."""
    first = min(place - 1, store.queue.count(Filter(states=WAITING)) - len(rows))
    if first < 0:
        return False
    there = store.queue.page(limit=len(rows), offset=first, only=Filter(states=WAITING))
    return [row.id for row in there] == [row.id for row in rows]


def _already(rows: list[TaskRow], where: str) -> str:
    return f"{_these(rows)} {'is' if len(rows) == 1 else 'are'} {where} already"


def _shift(store: Store, names: list[str], by: object) -> Answer:
    """Move tasks up (less than 0) or down among those that wait; together, they keep their order."""
    if not isinstance(by, int) or isinstance(by, bool) or not names:
        raise Refused("shift which tasks, by how many places?")
    places = [(place, row) for row in find_named(store, names) if (place := store.order.place(row.id)) is not None]
    if not places:
        raise Refused("only tasks that wait have a place in the queue")
    places.sort(key=lambda each: each[0], reverse=by > 0)
    last = store.queue.count(Filter(states=WAITING)) - 1
    rows = [row for _, row in places]
    wanted = [
        max(index, place + by) if by < 0 else min(last - index, place + by) for index, (place, _) in enumerate(places)
    ]
    if wanted == [place for place, _ in places]:
        raise Refused(_already(rows, "first" if by < 0 else "last"))
    for row, place in zip(rows, wanted, strict=True):
        store.order.move(row.id, place)
    return Answer(f"moved: {_these(rows)}", {})


def _each(store: Store, names: list[str], done: str, step: Steps, tell: Telling | None) -> Answer:
    """Take a step with each task. What a glob finds and cannot take it is passed over; what is named is refused.

    `tell` has the words for what was done, where `done` and the names do not say all.
    """
    seen: set[str] = set()
    changed: list[TaskRow] = []
    interrupt: dict[str, bool] = {}
    refused: list[str] = []
    for name in names:
        by_glob = bool(_GLOB & set(name))
        for row in find_named(store, [name]):
            if row.id in seen:
                continue
            seen.add(row.id)
            try:
                how = step(store, row)
            except IllegalTransition:
                if not by_glob:
                    refused.append(f"{row.id} is {row.state}")
                continue
            except (Refused, TaskIsRendering, UnknownTask) as error:
                if not by_glob:
                    refused.append(str(error))
                continue
            changed.append(row)
            if how:
                interrupt[row.id] = how == "stop"
    if not changed:
        raise Refused(f"nothing was {done}: {'; '.join(refused) or 'no task there can be'}")
    but = f"; but {'; '.join(refused)}" if refused else ""
    did = tell(store, changed) if tell else f"{done}: {_these(changed)}"
    return Answer(f"{did}{but}", interrupt)


def _pause(store: Store, row: TaskRow, arguments: Mapping[str, Any]) -> str:
    if row.state == "rendering":
        store.tasks.give_back(row.id, to="paused")
        return "border"
    store.tasks.transition(row.id, "paused")
    return ""


def _resume(store: Store, row: TaskRow, arguments: Mapping[str, Any]) -> str:
    if row.state != "paused":
        raise Refused(f"{row.id} is {row.state}, not paused")
    _check_file(row)
    store.tasks.transition(row.id, "queued")
    return ""


def _cancel(store: Store, row: TaskRow, arguments: Mapping[str, Any]) -> str:
    store.tasks.transition(row.id, "cancelled", reason="by hand")
    return "stop" if row.state == "rendering" else ""


def _retry(store: Store, row: TaskRow, arguments: Mapping[str, Any]) -> str:
    fresh = bool(arguments.get("fresh"))
    if row.state == "done" and not fresh:
        raise Refused(f"{row.id} is done. For another rendering of it: {RETRY_FRESH}")
    if row.state in {"paused", "invalid"}:
        advice = f"To go on with it: {RESUME}" if row.state == "paused" else "Mend its file"
        raise Refused(f"{row.id} is {row.state}. {advice}")
    if row.state == "rendering":
        raise Refused(f"{row.id} is being rendered")
    if fresh and row.state == "done" and row.model.startswith("espeak"):
        raise Refused(f"{row.id} is a draft, which comes out the same each time. To hear a change, edit its file")
    _check_file(row)
    store.tasks.transition(row.id, "queued")
    store.tasks.set_fresh(row.id, fresh=fresh)
    return ""


def _check_file(row: TaskRow) -> None:
    """A file that broke while its task was being rendered."""
    if row.problems:
        raise Refused(f"the file of {row.id} is invalid: {row.problems[0]}")


def _remove(store: Store, row: TaskRow, arguments: Mapping[str, Any]) -> str:
    store.tasks.remove(row.id)
    return ""


def _priority(store: Store, row: TaskRow, arguments: Mapping[str, Any]) -> str:
    to, by = arguments.get("to"), arguments.get("by")
    if isinstance(to, bool) or isinstance(by, bool) or not isinstance(to if by is None else by, int):
        raise Refused("the priority must be a whole number")
    try:
        store.tasks.set_priority(row.id, row.priority + by if isinstance(by, int) else int(to or 0))
    except OutOfRange as error:
        raise Refused(str(error)) from error
    return ""


_VERBS: Mapping[str, tuple[str, Callable[[Store, TaskRow, Mapping[str, Any]], str]]] = {
    "pause": ("paused", _pause),
    "resume": ("resumed", _resume),
    "cancel": ("cancelled", _cancel),
    "retry": ("queued", _retry),
    "remove": ("removed", _remove),
    "priority": ("put in another priority", _priority),
}


def find_named(store: Store, names: Iterable[str]) -> list[TaskRow]:
    """The tasks of these names and globs, each once. Raises Refused where one fits no task, or a name several."""
    rows: dict[str, TaskRow] = {}
    for name in names:
        found = store.queue.matching(name)
        if not found:
            raise Refused(f"no task {name!r} in the queue")
        if len(found) > 1 and not _GLOB & set(name):
            raise Refused(f"{name!r} is the name of several tasks: {_these(found)}")
        rows.update((row.id, row) for row in found)
    if not rows:
        raise Refused("name at least one task")
    return list(rows.values())


def _in_priorities(store: Store, rows: list[TaskRow]) -> str:
    """The priorities that tasks have come to: `priority 5: book/a, book/b`."""
    by_priority: dict[int, list[TaskRow]] = {}
    for row in rows:
        by_priority.setdefault(store.tasks.get(row.id).priority, []).append(row)
    return "; ".join(f"priority {priority}: {_these(those)}" for priority, those in by_priority.items())


def _these(rows: Iterable[TaskRow]) -> str:
    names = [row.id for row in rows]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
