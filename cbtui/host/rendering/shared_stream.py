"""One stream of requests to the engine that several runs share: what one leaves free of a batch, the next fills."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from cbtui.core.events import ChunkProgressed, Event
from cbtui.core.side_thread import SideThread
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, Engine
from cbtui.host.rendering.errand import Errand, Step
from cbtui.host.rendering.rendered import Rendered
from cbtui.host.rendering.run_in_progress import RunInProgress

# How often a stream that has room looks for another run while the engine works.
_LOOK_SECONDS = 0.5

NextRun = Callable[[], RunInProgress | None]
Settle = Callable[[RunInProgress, Rendered], None]


class SharedStream:
    """Renders runs with one engine. Another is begun when those that are there leave the engine room.

    `next_run` gives a run of this engine, or None where there is none to begin now; `settle` hears what became of
    each, at once. `should_stop` is asked before every token. Requests carry the number of their run: `12/3.0`.

    What is for the disk is done by threads beside this one, and taken in between two tokens.
    """

    def __init__(self, engine: Engine, next_run: NextRun, *, settle: Settle, should_stop: Callable[[], bool]) -> None:
        self._engine = engine
        self._next_run = next_run
        self._settle = settle
        self._should_stop = should_stop
        self._runs: dict[int, RunInProgress] = {}
        self._numbers = itertools.count(1)
        # A book takes long to be put together; takes are not to wait for it.
        self._takes, self._files = SideThread[Any]("cbtui-takes"), SideThread[Any]("cbtui-files")
        self._errands: dict[Future[Any], tuple[int, Errand]] = {}
        self._outcomes: dict[int, Rendered] = {}
        self._one_at_a_time = False
        self._asking = 0
        self._look_at = 0.0
        self._has_asked = False
        # Ids of what this call of the engine's was given.
        self._unanswered: set[str] = set()
        self._since = 0.0

    @property
    def runs(self) -> tuple[RunInProgress, ...]:
        """Those that have begun and are not settled, the oldest first."""
        return tuple(self._runs.values())

    def work(self) -> None:
        """Render until no run is left to begin, or the caller stops; every run that began is settled then.

        Raises what Engine.render does, and what `next_run` and `settle` do. The runs are still there after that, and
        `work` goes on with them.
        """
        self._errands.clear()
        for run in self.runs:
            run.take_back()
        with self._takes, self._files:
            try:
                self._work()
            finally:
                # What was rendered is kept whatever happened.
                self._await_errands()

    def _work(self) -> None:
        while self._runs or self._begin_first():
            answered = self._has_asked = False
            self._unanswered.clear()
            self._since = time.monotonic()
            for result in self._engine.render(
                self._requests(), emit=self._emit, should_stop=self._should_stop, is_wanted=self._is_wanted
            ):
                answered = True
                self._share_out_time()
                self._receive(result)
                self._since = time.monotonic()
            answered |= self._await_errands()
            self._let_go()
            if self._should_stop():
                self._settle_each(self._runs, RunInProgress.end_early)
            elif not answered and (not self._has_asked or any(run.in_work for run in self._runs.values())):
                self._settle_each(self._in_work(), lambda run: run.fail("the engine ended without an answer"))

    def find_culprit(self) -> RunInProgress | None:
        """After an error of the engine's: let go of the run that it came with, not settled.

        None where several had something in the engine: from here on they go one at a time, and `work` will show which.
        """
        in_work = self._in_work()
        if len(in_work) > 1:
            self._one_at_a_time = True
            return None
        (number,) = in_work
        run = self._runs.pop(number)
        run.close()
        return run

    def give_up(self) -> tuple[RunInProgress, ...]:
        """Let go of all runs, none of which is settled."""
        runs = self.runs
        self._runs.clear()
        for run in runs:
            run.close()
        return runs

    def _in_work(self) -> dict[int, RunInProgress]:
        """The runs that have something in the engine; all, where none has."""
        return {number: run for number, run in self._runs.items() if run.in_work} or dict(self._runs)

    def _requests(self) -> Iterator[ChunkRequest | None]:
        begun = False
        while not self._should_stop():
            self._share_out_time()
            self._resume_ready()
            self._let_go()
            request = self._next_request()
            self._since = time.monotonic()
            if request is not None:
                begun = False
                self._unanswered.add(request.request_id)
                yield request
            elif begun and self._is_engine_at_work():
                # What was begun needs nothing, and so may the next.
                begun = False
                yield None
            elif self._begin_another():
                begun = True
            elif self._is_engine_at_work():
                yield from self._nothing_now()
            else:
                return

    def _is_engine_at_work(self) -> bool:
        self._unanswered = set(filter(self._is_wanted, self._unanswered))
        return bool(self._unanswered)

    def _nothing_now(self) -> Iterator[None]:
        """As often as the engine asks, until something happened here, or may have happened in the queue."""
        self._look_at = time.monotonic() + _LOOK_SECONDS
        while True:
            yield None
            self._resume_ready()
            self._let_go()
            if time.monotonic() >= self._look_at or self._should_stop():
                return

    def _next_request(self) -> ChunkRequest | None:
        for number, run in list(self._runs.items()):
            if number not in self._runs or number in self._outcomes:
                continue
            others = [other.keys_in_work for other in self._runs.values() if other is not run]
            wanted = run.next_request(set().union(*others))
            if isinstance(wanted, Rendered | Errand):
                self._follow(number, wanted)
            elif wanted is not None:
                self._asking, self._has_asked = number, True
                return replace(wanted, request_id=f"{number}/{wanted.request_id}")
            elif self._one_at_a_time:
                return None
        return None

    def _begin_first(self) -> bool:
        """Begin runs until one needs the engine; whether one does."""
        while not self._runs:
            if self._should_stop() or not self._begin_another():
                return False
        return True

    def _begin_another(self) -> bool:
        """Whether there was one to begin; it may have ended at once."""
        if self._one_at_a_time and self._runs:
            return False
        run = self._next_run()
        if run is None:
            return False
        number = next(self._numbers)
        self._runs[number] = run
        self._follow(number, run.begin())
        return True

    def _receive(self, result: ChunkResult | ChunkFailure) -> None:
        self._look_at = 0.0
        self._unanswered.discard(result.request_id)
        number, _, name = result.request_id.partition("/")
        run = self._runs.get(int(number))
        if run is not None:
            self._follow(int(number), run.receive(replace(result, request_id=name)))
        self._resume_ready()

    def _let_go(self) -> None:
        """Settle the runs that are interrupted, once nothing is written for them any more and what they have in the
        engine is answered or not wanted.
        """
        done = {
            number: run
            for number, run in self._runs.items()
            if not self._is_at_the_disk(number) and (run.should_stop() or (not run.in_work and run.is_interrupted()))
        }
        self._settle_each(done, RunInProgress.end_early)

    def _settle_each(self, runs: Mapping[int, RunInProgress], outcome: Callable[[RunInProgress], Rendered]) -> None:
        for number, run in list(runs.items()):
            self._follow(number, outcome(run))

    def _follow(self, number: int, step: Step) -> None:
        """Have an errand run, or settle the run once nothing is written for it any more."""
        if isinstance(step, Errand):
            if number not in self._outcomes:
                side = self._files if step.takes_long else self._takes
                self._errands[side.give(step.work)] = (number, step)
        elif step is not None:
            # The first: what is still written for it may fail too, for the same reason.
            self._outcomes.setdefault(number, step)
        if number in self._outcomes and not self._is_at_the_disk(number):
            run, outcome = self._runs.pop(number), self._outcomes.pop(number)
            run.close()
            self._settle(run, outcome)

    def _is_at_the_disk(self, number: int) -> bool:
        return any(number == other for other, _ in self._errands.values())

    def _resume_ready(self) -> None:
        self._resume(itertools.chain(self._takes.ready(), self._files.ready()))

    def _await_errands(self) -> bool:
        """Wait for all that is at the disk, and for what follows of it; whether there was any."""
        resumed = False
        while self._resume(itertools.chain(self._takes.rest(), self._files.rest())):
            resumed = True
        return resumed

    def _resume(self, done: Iterator[Future[Any]]) -> bool:
        """Tell the runs what came of their errands; whether there were any."""
        resumed = False
        for future in done:
            self._share_out_time()
            number, errand = self._errands.pop(future)
            run = self._runs.get(number)
            if run is not None:
                self._follow(number, run.resume(errand, future))
            resumed, self._look_at, self._since = True, 0.0, time.monotonic()
        return resumed

    def _is_wanted(self, request_id: str) -> bool:
        number = int(request_id.partition("/")[0])
        run = self._runs.get(number)
        return run is not None and not run.should_stop() and number not in self._outcomes

    def _emit(self, event: Event) -> None:
        """Pass on what the engine tells to the run it is about; a look-up is about the one that asked last."""
        number = int(event.request_id.partition("/")[0]) if isinstance(event, ChunkProgressed) else self._asking
        run = self._runs.get(number) or next(iter(self._runs.values()), None)
        if run is not None:
            run.report(event)
        if isinstance(event, ChunkProgressed):
            self._resume_ready()

    def _share_out_time(self) -> None:
        """Charge the time since the last look to the runs by what each has in work."""
        now = time.monotonic()
        elapsed, self._since = now - self._since, now
        total = sum(run.in_work for run in self._runs.values())
        for run in self._runs.values():
            run.work_seconds += elapsed * run.in_work / total if total else 0.0
