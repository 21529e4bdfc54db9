"""An engine that renders a chunk only when a test lets it: everything else is waited for, never timed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from cbtui.core.events import ChunkProgressed, EventSink
from cbtui.engine.base import ChunkRequest, all_are_wanted
from tests.support.fake_engine import Answer, FakeEngine, speak, there

_GLANCE = 0.005


class GatedEngine(FakeEngine):
    """Begins a chunk, says so in `begun`, and draws tokens until `let` allows it to end or it is told to stop."""

    def __init__(self, answer: Callable[[ChunkRequest], Answer] = speak) -> None:
        super().__init__(answer)
        self.begun: list[str] = []
        self.stopped: list[str] = []
        self._allowed = threading.Semaphore(0)
        self._open = threading.Event()

    def let(self, chunks: int = 1) -> None:
        """Allow so many more chunks to be finished."""
        for _ in range(chunks):
            self._allowed.release()

    def open(self) -> None:
        """Allow every chunk from now on."""
        self._open.set()

    def render(
        self,
        requests: Iterable[ChunkRequest | None],
        *,
        emit: EventSink,
        should_stop: Callable[[], bool],
        is_wanted: Callable[[str], bool] = all_are_wanted,
    ) -> Iterator[Answer]:
        for request in there(requests):
            self.begun.append(request.text)
            tokens = 0
            while not self._open.is_set() and not self._allowed.acquire(timeout=_GLANCE):
                if should_stop():
                    self.stopped.append(request.text)
                    return
                if not is_wanted(request.request_id):
                    break
                tokens += 1
                emit(ChunkProgressed(request.request_id, tokens))
            if not is_wanted(request.request_id):
                self.stopped.append(request.text)
                continue
            self.requests.append(request)
            yield self._answer(request)
