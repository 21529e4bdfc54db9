"""The calls of the engine that a run still wants: which wait, which are under way, and what became of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult
from cbtui.host.rendering.attempts import TakeFailed, TakeInProgress
from cbtui.host.rendering.plan import PlannedTake

# Takes of one key: a sentence that a text repeats is rendered once.
Twins = Sequence[PlannedTake]


class Calls:
    """What it takes to make the missing takes of a run, by the names of the first of each key."""

    def __init__(self, missing: Iterable[PlannedTake] = (), max_retries: int = 0) -> None:
        by_key: dict[str, list[PlannedTake]] = {}
        for take in missing:
            by_key.setdefault(take.key, []).append(take)
        self._twins = {twins[0].request.request_id: twins for twins in by_key.values()}
        self._attempts = {name: TakeInProgress(twins[0].request, max_retries) for name, twins in self._twins.items()}
        self._waiting: deque[ChunkRequest] = deque()
        self._in_work: set[str] = set()
        self._begun: set[str] = set()
        self.take_back()

    @property
    def in_work(self) -> int:
        """How many requests were handed out and are not answered."""
        return len(self._in_work)

    @property
    def keys_in_work(self) -> set[str]:
        """The keys of the takes that were begun and are not whole."""
        return {self._twins[name][0].key for name in self._begun}

    @property
    def chunks_in_work(self) -> frozenset[int]:
        """Indices of the chunks whose takes were begun and are not whole."""
        return frozenset(take.chunk.index for name in self._begun for take in self._twins[name])

    @property
    def are_done(self) -> bool:
        return not self._attempts

    def next(self, taken: Collection[str], is_there: Callable[[Twins], bool]) -> ChunkRequest | None:
        """The next that is wanted now.

        A take whose key is `taken` is being made by another run, and waits for it; one that `is_there` by now needs no
        call.
        """
        for _ in range(len(self._waiting)):
            request = self._waiting.popleft()
            name = _name_of(request.request_id)
            if name not in self._begun:
                twins = self._twins[name]
                if twins[0].key in taken:
                    self._waiting.append(request)
                    continue
                if is_there(twins):
                    del self._attempts[name]
                    continue
                self._begun.add(name)
            self._in_work.add(request.request_id)
            return request
        return None

    def receive(self, result: ChunkResult | ChunkFailure) -> tuple[Twins, TakeInProgress] | None:
        """Take in an answer; the take, where it is whole by that. Raises TakeFailed naming the chunk."""
        self._in_work.discard(result.request_id)
        name = _name_of(result.request_id)
        attempt, twins = self._attempts[name], self._twins[name]
        wanted = {request.request_id for request in attempt.waiting()} - {result.request_id}
        try:
            attempt.receive(result)
        except TakeFailed as error:
            raise TakeFailed(f"chunk {twins[0].chunk.index + 1} ({_begin_of(attempt)}): {error}") from error
        if attempt.whole:
            del self._attempts[name]
            self._begun.discard(name)
            return twins, attempt
        # The next seed, or the halves.
        again = [request for request in attempt.waiting() if request.request_id not in wanted]
        self._waiting.extendleft(reversed(again))
        return None

    def take_back(self) -> None:
        """No request that was handed out will be answered: they are wanted again."""
        self._in_work.clear()
        self._begun.clear()
        self._waiting = deque(request for attempt in self._attempts.values() for request in attempt.waiting())


def _name_of(request_id: str) -> str:
    return request_id.rpartition(".")[0]


def _begin_of(attempt: TakeInProgress) -> str:
    text = attempt.request.text
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
