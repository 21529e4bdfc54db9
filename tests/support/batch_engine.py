"""An engine that has several chunks in work at once, and ends those that a test lets it end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from cbtui.core.events import ChunkProgressed, EventSink
from cbtui.engine.base import ChunkRequest, all_are_wanted
from tests.support.fake_engine import Answer, FakeEngine, speak

_GLANCE = 0.005


class BatchEngine(FakeEngine):
    """Takes requests while it has fewer than `batch` in work, and answers those whose text `let` or `open` allow.

    `in_work` are the texts in work, `dropped` those that were not wanted any more; `in_vain` counts how often it had
    room and got nothing.
    """

    def __init__(self, batch: int, answer: Callable[[ChunkRequest], Answer] = speak) -> None:
        super().__init__(answer)
        self.batch = batch
        self.in_work: tuple[str, ...] = ()
        self.dropped: list[str] = []
        self.most = 0
        self.in_vain = 0
        self._allowed: set[str] = set()
        self._open = threading.Event()

    def let(self, *texts: str) -> None:
        self._allowed |= set(texts)

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
        waiting, active, step = iter(requests), list[ChunkRequest](), 0
        while not should_stop():
            self.dropped += [each.text for each in active if not is_wanted(each.request_id)]
            active = [each for each in active if is_wanted(each.request_id)]
            while len(active) < self.batch and (request := next(waiting, None)) is not None:
                active.append(request)
            self.in_vain += len(active) < self.batch
            self.in_work, self.most = tuple(each.text for each in active), max(self.most, len(active))
            if not active:
                return
            done = next((each for each in active if self._open.is_set() or each.text in self._allowed), None)
            if done is None:
                step += 1
                emit(ChunkProgressed(active[0].request_id, step))
                threading.Event().wait(_GLANCE)
                continue
            active.remove(done)
            self.requests.append(done)
            yield self._answer(done)
