"""Watches over the health of a process that runs for days: hands each take's figures to the sentinel."""

from __future__ import annotations

import psutil

from cbtui.engine.base import Vitals
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.rendering.reports import TakeFinished
from cbtui.host.sentinel import Sentinel, TakeVitals
from cbtui.host.store import TaskRow


class Watchman:
    """Tells the journal what the sentinel warns of."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._sentinel = Sentinel()
        self._process = psutil.Process()

    def observe(self, take: TakeFinished, vitals: Vitals, task: TaskRow) -> None:
        """The device's memory where it has its own, else that of the process."""
        memory = vitals.allocated if vitals.allocated is not None else self._process.memory_info().rss
        figures = TakeVitals(
            memory_bytes=memory,
            hooks=vitals.hooks,
            tokens=take.tokens,
            seconds=take.work_seconds,
            model=task.model,
            speed_key=f"{task.model}@{task.voice}",
        )
        for warning in self._sentinel.observe(figures):
            self._journal(JournalEntry("memory", warning, task.id, "warning"))

    def forget_memory(self) -> None:
        """Models were loaded or unloaded."""
        self._sentinel.reset_memory()
