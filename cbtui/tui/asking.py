"""What the app asks before it hosts and before it leaves, and what it says when it has left."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cbtui.core.clean import visible
from cbtui.tui.hosting import How
from cbtui.tui.screens.confirm import Choice
from cbtui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from cbtui.host.changed_options import ChangedOptions


def about_options(changed: ChangedOptions) -> tuple[Choice, Mapping[str, How]]:
    """What is to become of tasks that came out otherwise under the last host; and how to host, by answer."""
    lines = [f"{str(changed).capitalize()}."]
    if changed.finished:
        drafts = ", drafts so far," if changed.before.get("engine") == "espeak" else ""
        again = "would be rendered again, where that was not done before"
        lines.append(f"{_tasks(changed.finished, 'finished')}{drafts} {again}.")
        answers = [("k", "keep what is finished"), ("r", "render it again")]
    else:
        lines.append(f"{_tasks(changed.queued)} {'waits' if changed.queued == 1 else 'wait'} to be rendered.")
        answers = [("r", f"render {changed.present}")]
    question = Choice("\n".join(lines), [*answers, ("g", f"go on {changed.former}")], back="host nothing yet")
    return question, {
        "k": How(changed.now, kept=changed.before),
        "r": How(changed.now),
        "g": How(changed.before),
    }


def about_leaving(snapshot: Snapshot) -> Choice:
    """How to leave while this process has work: `h` without the screen, `f` after the chunk, `s` at once."""
    waiting, blocked = snapshot.waiting, snapshot.counts.get("blocked", 0)
    parts = [f"{_tasks(waiting)} {'is' if waiting == 1 else 'are'} still to be rendered"] if waiting else []
    if blocked:
        parts.append(f"{_tasks(blocked)} {'is' if blocked == 1 else 'are'} blocked")
    if snapshot.paused:
        parts.append("the queue is paused")
    answers = [
        ("h", "leave the screen, render on" if waiting else "leave the screen, wait on"),
        *([("f", "finish the chunk, then stop")] if waiting else []),
        ("s", "stop now; chunks are kept"),
    ]
    return Choice(f"{'; '.join(parts)}.", answers)


def farewell(snapshot: Snapshot, *, headless: bool = False) -> str:
    """What stays behind, where, and how to come back to it; empty where nothing does."""
    blocked, paused = (snapshot.counts.get(state, 0) for state in ("blocked", "paused"))
    what = ((snapshot.waiting, "to render"), (blocked, "blocked"), (paused, "paused"))
    left = ", ".join(f"{count} {words}" for count, words in what if count)
    stays = "it stays" if sum(count for count, _ in what) == 1 else "they stay"
    holder = snapshot.holder
    if headless:
        return (
            f"process {os.getpid()} goes on without a screen ({left or 'nothing to render'}): the same command in "
            "another terminal shows it; cbtui stop, or Ctrl-C here, ends it"
        )
    if holder is not None and holder.pid != os.getpid():
        return f"process {holder.pid} on {visible(holder.machine)} goes on ({left or 'nothing to render'})"
    return f"{left}: {stays} in the queue for the next start" if left else ""


def _tasks(count: int, what: str = "") -> str:
    return " ".join(part for part in (str(count), what, "task" if count == 1 else "tasks") if part)
