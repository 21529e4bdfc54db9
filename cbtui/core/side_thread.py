"""A thread beside one that must not wait: for the processor's or the disk's share of the work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

# So many may be waiting before whoever gives more has to wait too.
MOST_WAITING = 16


class SideThread(Generic[T]):
    """Does what it is given, one after the other; a context, at whose end nothing of it is under way.

    It can be entered again. The thread is a daemon, so that the process can end in the middle of its work, which a pool
    of threads would wait out.
    """

    def __init__(self, name: str, *, beside: bool = True) -> None:
        """Without `beside` there is no thread: whoever gives work does it."""
        self._name = name
        self._beside = beside
        self._thread: threading.Thread | None = None
        self._work: SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = SimpleQueue()
        self._given: deque[Future[T]] = deque()

    def __enter__(self) -> SideThread[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._given:
            self._given.pop().cancel()
        if self._thread is not None:
            self._work.put(None)
            self._thread.join()
            self._thread = None

    def give(self, work: Callable[[], T]) -> Future[T]:
        """Raises RuntimeError where the process may have no further thread."""
        if self._thread is None and self._beside:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            thread.start()
            self._thread = thread
        future: Future[T] = Future()
        self._given.append(future)
        if self._beside:
            self._work.put((future, work))
        else:
            _do(future, work)
        return future

    def ready(self) -> Iterator[Future[T]]:
        """What is done, in the order in which it was given; waits only where too much is waiting."""
        while self._given and (self._given[0].done() or len(self._given) > MOST_WAITING):
            yield self._next()

    def rest(self) -> Iterator[Future[T]]:
        """All that is left, waiting for each."""
        while self._given:
            yield self._next()

    def _next(self) -> Future[T]:
        future = self._given.popleft()
        wait([future])
        return future

    def _run(self) -> None:
        while (given := self._work.get()) is not None:
            _do(*given)
            # What was worked on is not to be kept until there is more to do.
            del given


def _do(future: Future[T], work: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)
