"""What only the host knows and nobody needs tomorrow: memory, loaded models, why it waits. A file beside the store.

It is replaced every second without fsync, so it wears no disk and may vanish in a power cut; the host's lock says
whether it is still true.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbtui.host.store import store_path
from cbtui.paths import Places


@dataclass(frozen=True, slots=True)
class LiveFile:
    """`facts` are JSON-like: `at` (Unix time), `models`, `memory`, `hold`, `doing`, `tokens_per_second`, `engine`.

    `rendering` are the tasks in work, `chunks` by task the indices of those whose takes are being made.
    """

    path: Path

    @classmethod
    def of(cls, places: Places) -> LiveFile:
        return cls(store_path(places).with_suffix(".live"))

    def write(self, facts: Mapping[str, object]) -> None:
        """Raises OSError."""
        beside = self.path.with_suffix(".live.part")
        beside.write_text(json.dumps(facts))
        beside.replace(self.path)

    def read(self) -> dict[str, Any]:
        """What the host wrote last; empty where there is nothing to read."""
        try:
            content = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
