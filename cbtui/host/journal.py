"""What the host tells the outside: one frozen fact per event, as a line for people and as JSON for machines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal[
    "started",
    "stopped",
    "added",
    "changed",
    "renamed",
    "invalid",
    "rendering",
    "chunk",
    "done",
    "failed",
    "cancelled",
    "blocked",
    "queued",
    "quarantined",
    "empty",
    "command",
    "cache",
    "model",
    "memory",
    "folder",
    "store",
    "hook",
    "notice",
]
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One event. `task` is an id, or empty; `facts` are JSON-like details; `at` is Unix time in seconds."""

    kind: Kind
    message: str
    task: str = ""
    level: Level = "info"
    facts: Mapping[str, object] = field(default_factory=dict)
    at: float = field(default_factory=time.time)

    def line(self) -> str:
        """`12:00:05 done      jobs/hello  what happened`."""
        clock = datetime.fromtimestamp(self.at).strftime("%H:%M:%S")
        words = [self.task] if self.task else []
        message = self.message if self.level == "info" else f"{self.level}: {self.message}"
        return f"{clock} {self.kind:<9} {'  '.join([*words, message])}"

    def json(self) -> str:
        """One line: `at`, `event`, `level`, `task`, `message`, and the facts."""
        task = {"task": self.task} if self.task else {}
        content = {"at": round(self.at, 3), "event": self.kind, "level": self.level, **task, "message": self.message}
        return json.dumps({**content, **self.facts}, ensure_ascii=False)


# What a person wants to hear of while they look elsewhere.
WORTH_A_NOTICE: frozenset[Kind] = frozenset({"failed", "quarantined", "empty"})

Journal = Callable[[JournalEntry], None]
