"""The host's journal, as lines of the log."""

from __future__ import annotations

import logging

from cbtui.host.journal import JournalEntry

log = logging.getLogger("cbtui.host")


def log_entry(entry: JournalEntry) -> None:
    words = "  ".join(word for word in (entry.kind, entry.task, entry.message) if word)
    log.log(logging.getLevelNamesMapping()[entry.level.upper()], "%s", words)
