"""What nobody foresaw in a thread that must not end: told once, not at every turn."""

from __future__ import annotations

import logging

from cbtui.host.journal import Journal, JournalEntry, Kind

log = logging.getLogger("cbtui.faults")


class Faults:
    """Tells the log and the journal of an error, as an event of this kind, unless it is the one it told of last."""

    def __init__(self, kind: Kind, journal: Journal) -> None:
        self._kind = kind
        self._journal = journal
        self._told = ""

    def tell(self, error: Exception) -> None:
        if repr(error) == self._told:
            return
        self._told = repr(error)
        log.error("unexpected error", exc_info=error)
        self._journal(JournalEntry(self._kind, f"an unexpected error: {error!r}; going on", level="error"))

    def forget(self) -> None:
        """All went well again."""
        self._told = ""
