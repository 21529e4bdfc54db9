"""What the app asks before it hosts and before it leaves, and what it says when it has left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cbtui.tui.hosting import How
from cbtui.tui.screens.confirm import Choice

if TYPE_CHECKING:
    from cbtui.host.changed_options import ChangedOptions


def about_options(changed: ChangedOptions) -> tuple[Choice, Mapping[str, How]]:
    """What is to become of tasks that came out otherwise under the last host; and how to host, by answer."""
    lines = [f"{str(changed).capitalize()}."]
    if changed.finished:
        drafts = ", drafts so far," if changed.before.get("engine") == "espeak" else ""
        lines.append(f"{_tasks(changed.finished, 'finished')}{drafts} would be rendered again.")
        answers = [("k", "keep what is finished"), ("r", "render it again")]
    else:
        lines.append(f"{_tasks(changed.queued)} {'waits' if changed.queued == 1 else 'wait'} to be rendered.")
        answers = [("r", f"render {changed.present}")]
    question = Choice("\n".join(lines), [*answers, ("g", f"go on {changed.former}")])
    return question, {
        "k": How(changed.now, kept=changed.before),
        "r": How(changed.now),
        "g": How(changed.before),
    }


def _tasks(count: int, what: str = "") -> str:
    return " ".join(part for part in (str(count), what, "task" if count == 1 else "tasks") if part)
