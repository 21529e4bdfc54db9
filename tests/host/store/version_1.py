"""Made `version-1.sqlite`, once: `python -m tests.host.store.version_1 PATH`, with the code of version 1.

The checked-in file stands for the stores that people have. It is never made again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cbtui.core.events import CacheEvent
from cbtui.core.problem import Problem
from cbtui.core.status import STATES, Result
from cbtui.host.store import Progress, open_store
from tests.host.store.conftest import NOON
from tests.host.store.helpers import found, lead


def make(path: Path) -> None:
    """A task in each state with all that a task can carry, and a row in every table."""
    with open_store(path, clock=lambda: NOON).store as store:
        broken = (Problem("jobs/book/invalid.yaml", "speakers: unknown setting", 6, 3),)
        for number, state in enumerate(STATES):
            store.files.put(
                [found(f"book/{state}", priority=number % 3, problems=broken if state == "invalid" else ())]
            )
            if state == "done":
                store.tasks.transition("book/done", "rendering")
                result = Result("20260101-120000", Path("/output/done.wav"), 12.5, 3.25, 4, 1, draft=True)
                store.tasks.transition("book/done", "done", result=result)
            elif state != "invalid":
                lead(store, f"book/{state}", state)
        store.tasks.set_progress("book/rendering", Progress(2, 5, 321))
        store.files.put([found("book/removed")])
        store.tasks.remove("book/removed")
        store.cache_events.append([CacheEvent("voice", "k", hit=True, saved=1.5, at=NOON)])
        answered = store.commands.post("pause", {"tasks": ["book/paused"]})
        store.commands.answer(answered, "done", "paused 1 task")
        store.commands.post("resume")
        store.meta.set_paused(True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
