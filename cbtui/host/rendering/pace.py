"""How many tokens are drawn, and how fast, over all the chunks that an engine has in work at once."""

from __future__ import annotations

import time

from cbtui.core.events import ChunkProgressed


class TokenPace:
    """Counts the tokens of several chunks, each of which reports its own number."""

    def __init__(self) -> None:
        self.total = 0
        self._of_chunks: dict[str, int] = {}
        self.restart()

    def count(self, progress: ChunkProgressed) -> None:
        """Take a chunk's report; one that is tried again begins anew."""
        before = self._of_chunks.get(progress.request_id, 0)
        self._of_chunks[progress.request_id] = progress.tokens
        self.total += progress.tokens - before if progress.tokens > before else progress.tokens

    def restart(self) -> None:
        """Measure the pace from here on."""
        self._since, self._total_then = time.monotonic(), self.total

    def per_second(self) -> float:
        """Tokens a second since the last restart; 0 for too short a time to tell, and where nothing is drawn."""
        seconds = time.monotonic() - self._since
        return (self.total - self._total_then) / seconds if seconds > 0.2 else 0.0
