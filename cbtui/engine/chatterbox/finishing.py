"""The processor's share of a chunk, done beside the device's next steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

# So many may wait to be finished before the device waits for the processor.
_MOST_WAITING = 8


class Finishing(Generic[T]):
    """A thread that does what it is given one after the other; a context, at whose end nothing of it is under way.

    What a piece of work raises is raised where its result is asked for.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cbtui-finishing")
        self._given: deque[Future[T]] = deque()

    def __enter__(self) -> Finishing[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def give(self, work: Callable[[], T]) -> None:
        self._given.append(self._thread.submit(work))

    def ready(self) -> Iterator[T]:
        """What is done, in the order in which it was given; waits only where too much is waiting."""
        while self._given and (self._given[0].done() or len(self._given) > _MOST_WAITING):
            yield self._given.popleft().result()

    def rest(self) -> Iterator[T]:
        """All that is left, waiting for it."""
        while self._given:
            yield self._given.popleft().result()
