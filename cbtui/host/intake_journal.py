"""What the journal hears of files that were read and put into the queue."""

from __future__ import annotations

from collections.abc import Iterable

from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.store import FoundTask, Put


def tell(journal: Journal, found: Iterable[FoundTask], put: Put) -> None:
    """An entry for each task that the store took over as new or as changed."""
    by_id = {task.id: task for task in found}
    for task in put.added:
        _tell_of(journal, by_id[task], "added", "queued")
    for task in put.edited:
        _tell_of(journal, by_id[task], "changed", "read again")
    for task in put.rendering:
        _tell_of(journal, by_id[task], "changed", "will be queued again after its rendering")


def _tell_of(journal: Journal, task: FoundTask, kind: str, message: str) -> None:
    facts = {"file": str(task.source)}
    if task.problems:
        text = "; ".join(map(str, task.problems))
        facts["problems"] = text
        journal(JournalEntry("invalid", text, task.id, "warning", facts))
    elif task.finished and kind == "added":
        journal(JournalEntry("added", f"is finished already: {task.finished.output}", task.id, facts=facts))
    elif kind == "added":
        journal(JournalEntry("added", message, task.id, facts=facts))
    else:
        journal(JournalEntry("changed", message, task.id, facts=facts))
