"""What a task file says as the columns of its task, and what an edit of it makes of the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cbtui.core.queue import FoundTask
from cbtui.core.status import SETTLED, after_edit
from cbtui.host.store.known_files import NO_FILE
from cbtui.host.store.tasks import FRESH_START
from cbtui.host.store.values import path_to_bytes, problems_to_json, storable, whole

# The problems of a valid file.
_NONE = "[]"
_COMPARED = frozenset(("digest", "problems", "declared_priority", "id"))
# What is known of an invalid file.
_TOLD_OF_INVALID = frozenset(("id", "source", "stamp", "problems", "surroundings"))
_NOTED = frozenset(("source", "stamp", "surroundings", "model", "voice", "characters"))
# States that a mended file puts its task back into: `was paused`, `was failed: no seed helped`.
_KEPT = ("paused", *SETTLED)
_WAS = "was "


def facts_of(task: FoundTask) -> dict[str, Any]:
    """The columns that a file decides."""
    return {
        "id": storable(task.id),
        "source": path_to_bytes(task.source),
        "stamp": str(task.stamp),
        "digest": storable(task.digest),
        "declared_priority": whole(task.priority),
        "problems": problems_to_json(task.problems),
        "model": storable(task.model),
        "voice": storable(task.voice),
        "characters": whole(task.characters),
        "surroundings": storable(task.surroundings),
    }


def is_invalid(facts: Mapping[str, Any]) -> bool:
    return bool(facts["problems"] != _NONE)


def is_kept(before: Any, task: FoundTask) -> bool:
    """Whether this is a task that the host is through with, which is to stay so."""
    return bool(before["state"] in SETTLED and task.kept == before["digest"] != task.digest and not task.problems)


def kept(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is taken over of a task that is to stay as it is."""
    return {name: facts[name] for name in (*_NOTED, "digest")}


def is_edited(before: Any, facts: Mapping[str, Any]) -> bool:
    """Whether the file means something else than before."""
    compared = _COMPARED
    if before["state"] == "rendering":
        # It keeps its name until that is over.
        compared = _COMPARED - {"id"}
    elif is_invalid(facts):
        compared = _COMPARED & _TOLD_OF_INVALID
    return _came_back(before) or any(before[name] != facts[name] for name in compared)


def noted(before: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is taken over of a file that means the same as before, where it differs."""
    names = _NOTED & _TOLD_OF_INVALID if is_invalid(facts) else _NOTED
    return {name: facts[name] for name in names if facts[name] != before[name]}


def edited(before: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is taken over of a file that means something else than before."""
    changes = dict(facts)
    if is_invalid(facts):
        # What it asked for while it was valid is compared with what it asks for once it is mended.
        changes = {name: facts[name] for name in _TOLD_OF_INVALID}
    elif before["declared_priority"] != facts["declared_priority"]:
        changes["priority"] = facts["declared_priority"]
    if before["state"] == "rendering":
        return changes | {"id": before["id"], "digest": facts["digest"]}
    return changes | _step(before, facts)


def _came_back(before: Any) -> bool:
    """Whether this is a task that was cancelled because its file was gone, and the file is there."""
    return bool(before["state"] == "cancelled" and before["stamp"] == NO_FILE)


def _step(before: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What an edit makes of a task that is not being rendered.

    A file that was broken for a while and is what it was before leaves its task where that was.
    """
    state, reason = before["state"], before["reason"]
    if is_invalid(facts):
        if state == "invalid":
            return {}
        if state in _KEPT and not _came_back(before):
            return {"state": "invalid", "reason": f"{_WAS}{state}: {reason}".removesuffix(": ")}
        return {**FRESH_START, "state": "invalid", "reason": ""}
    same = before["digest"] == facts["digest"] and not _came_back(before)
    if state != "invalid":
        after = after_edit(state, valid=True)
        return {} if same else {**FRESH_START, "state": after, "reason": reason if after == state else ""}
    former, _, reason = reason.removeprefix(_WAS).partition(": ")
    if same and former in SETTLED:
        return {"state": former, "reason": reason}
    return {**FRESH_START, "state": "paused" if former == "paused" else "queued", "reason": ""}
