"""Writing to the store in spite of a full disk or a busy store: what must be written is tried again until it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.store import StoreBusy, StoreFull, StoreUnavailable

T = TypeVar("T")
_PAUSE_SECONDS = 1.0


class GivenUp(Exception):
    """The host stops before the store could be written."""


class Insistence:
    """Repeats what the store could not do for want of room or of a lock, and says so once each time it begins.

    `trouble` is what stands in its way at this moment; any thread may read it.
    """

    def __init__(self, stopped: threading.Event, journal: Journal) -> None:
        self._stopped = stopped
        self._journal = journal
        self.trouble = ""

    def pause(self, seconds: float) -> None:
        """Wait, unless the host stops."""
        self._stopped.wait(seconds)

    def __call__(self, action: Callable[[], T]) -> T:
        """What `action` returns once it does. Raises GivenUp once the host stops, and what else `action` raises."""
        while True:
            try:
                result = action()
            except (StoreFull, StoreBusy, StoreUnavailable) as error:
                if not self.trouble:
                    self.trouble = str(error)
                    self._journal(JournalEntry("store", f"{error}; trying again until it works", level="warning"))
                if self._stopped.wait(_PAUSE_SECONDS):
                    raise GivenUp from error
            else:
                if self.trouble:
                    self.trouble = ""
                    self._journal(JournalEntry("store", "the queue can be written again"))
                return result
