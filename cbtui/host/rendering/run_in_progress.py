"""One run of a task being brought up to date: it asks for the takes that are missing, and ends with the finished file.

Every take is on disk before its chunk counts as done, so whatever ends the process, the run goes on where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from cbtui.audio.assemble import Assembly
from cbtui.audio.export import Finished, export
from cbtui.audio.takes import DamagedTake
from cbtui.core.events import Noticed
from cbtui.core.task import Task
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, Engine, UnusableReference
from cbtui.host.rendering.attempts import TakeFailed, TakeInProgress
from cbtui.host.rendering.calls import Calls, Twins
from cbtui.host.rendering.errand import Errand, Step
from cbtui.host.rendering.manifest import known_stamps, make_manifest
from cbtui.host.rendering.plan import Plan, make_plan
from cbtui.host.rendering.rendered import Outcome, Rendered, explain, full_disk, unexpected
from cbtui.host.rendering.reports import ReportSink, RunStarted, TakeFinished, TakesFound
from cbtui.host.rendering.run_takes import RunTakes
from cbtui.host.rendering.runs import Run
from cbtui.host.rendering.takes import TakeFacts, TakeIndex, remove_other_takes

T = TypeVar("T")

log = logging.getLogger("cbtui.line")

# What ends one run and says nothing of the engine.
_ABOUT_THE_RUN = (TakeFailed, UnusableReference, DamagedTake, OSError)


def _never() -> bool:
    return False


class RunInProgress:
    """A run between `begin` and its outcome. What it learns goes to `report`.

    `should_stop` tells that nothing of it is wanted any more, `should_yield` that it is to ask for no further chunk.
    A run that is up to date is skipped, unless `rebuild` asks for its file anew. `close` is called once, at its end.
    """

    def __init__(
        self,
        task: Task,
        run: Run,
        engine: Engine,
        *,
        index: TakeIndex,
        report: ReportSink,
        seed: int,
        rebuild: bool = False,
        should_stop: Callable[[], bool] = _never,
        should_yield: Callable[[], bool] = _never,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.task = task
        self.report = report
        self.should_stop = should_stop
        self.close = close
        self.work_seconds = 0.0
        self._run = run
        self._engine = engine
        self._takes = RunTakes(run.chunks, engine.sample_rate, index, task=task.id, report=report)
        self._seed = seed
        self._rebuild = rebuild
        self._should_yield = should_yield
        self._plan = Plan(seed, (), (), "")
        self._manifest: Mapping[str, Any] = {}
        self._calls = Calls()
        self._writing: set[str] = set()
        self._is_assembling = False
        self._made = 0
        self._reused = 0

    @property
    def in_work(self) -> int:
        """How many requests were handed out and are not answered."""
        return self._calls.in_work

    @property
    def keys_in_work(self) -> set[str]:
        """The keys of the takes that it is having made or written."""
        return self._calls.keys_in_work | self._writing

    @property
    def chunks_in_work(self) -> frozenset[int]:
        """Indices of the chunks whose takes it is having made."""
        return self._calls.chunks_in_work

    def begin(self) -> Step:
        """See what is there; None where takes are to be made, for which `next_request` then asks.

        Raises EngineUnavailable. What concerns this task alone is an outcome, not an exception.
        """
        return self._guarded(self._begin)

    def next_request(self, taken: Collection[str]) -> ChunkRequest | Step:
        """The next call that is wanted of the engine; None where none is, for now.

        What other runs are having made (the keys that are `taken`) is waited for and copied. Gives the last errand
        where nothing more was missing by then.
        """
        return None if self.is_interrupted() else self._guarded(lambda: self._next_request(taken))

    def _next_request(self, taken: Collection[str]) -> ChunkRequest | Errand | None:
        return self._calls.next(taken, self._is_made_elsewhere) or self._finish_if_complete()

    def receive(self, result: ChunkResult | ChunkFailure) -> Step:
        """Take in the answer to a request that was handed out."""
        return self._guarded(lambda: self._receive(result))

    def resume(self, errand: Errand, done: Future[Any]) -> Step:
        """Take in what came of an errand, each once."""
        error = done.exception()
        if error is None or isinstance(error, _ABOUT_THE_RUN):
            return self._guarded(lambda: errand.then(done.result()))
        log.error("unexpected error while writing for %s", self.task.id, exc_info=error)
        return self.fail(unexpected(error))

    def take_back(self) -> None:
        """No request that was handed out will be answered: ask for them again."""
        self._calls.take_back()

    def is_interrupted(self) -> bool:
        return self.should_stop() or self._should_yield()

    def end_early(self) -> Rendered:
        """The outcome of a run that was interrupted: its takes stay."""
        return self._rendered("stopped")

    def fail(self, reason: str, *, no_room: OSError | None = None) -> Rendered:
        place = full_disk(no_room) if no_room else None
        return Rendered(self.task, self._run, "failed", reason, work_seconds=self.work_seconds, no_room=place)

    def _guarded(self, step: Callable[[], T | Step]) -> T | Step:
        started = time.monotonic()
        outcome: T | Step
        try:
            outcome = step()
        except OSError as error:
            outcome = self.fail(explain(error), no_room=error)
        except _ABOUT_THE_RUN as error:
            outcome = self.fail(str(error))
        finally:
            self.work_seconds += time.monotonic() - started
        return replace(outcome, work_seconds=self.work_seconds) if isinstance(outcome, Rendered) else outcome

    def _begin(self) -> Step:
        self._plan = plan = make_plan(self.task, self._engine, seed=self._seed)
        for warning in plan.warnings:
            self.report(Noticed(f"{self.task.id}: {warning}", "warning"))
        if not plan.takes:
            return self.fail("the text has nothing to speak: no letter and no digit")
        self._manifest = manifest = self._run.read_manifest()
        known = known_stamps(manifest)
        missing = [take for take in plan.takes if not self._takes.is_there(take, known)]
        if not missing and not self._rebuild and self._is_finished(manifest):
            self._takes.report_hits(plan.takes)
            self._reused = len(plan.takes)
            return self._rendered("skipped")
        self._run.remove_leftovers()
        self._write_manifest(finished=None)
        wanting = {take.chunk.index for take in missing}
        self._takes.report_hits(take for take in plan.takes if take.chunk.index not in wanting)
        missing = self._takes.without_those_elsewhere(missing, self.is_interrupted)
        self._reused = len(plan.takes) - len(missing)
        self.report(RunStarted(self.task, self._run.name, len(plan.takes), self._reused))
        self._calls = Calls(missing, self.task.max_retries)
        return self._finish_if_complete()

    def _receive(self, result: ChunkResult | ChunkFailure) -> Errand | None:
        whole = self._calls.receive(result)
        return None if whole is None else self._save(*whole)

    def _save(self, takes: Twins, attempt: TakeInProgress) -> Errand:
        """Write a take under the name of every chunk that has this key, and tell of it."""
        samples, parts = attempt.samples(), attempt.facts()
        first = takes[0]
        facts = TakeFacts(
            key=first.key,
            text=first.chunk.text,
            tokens=sum(part.tokens for part in parts),
            seconds_spent=sum(part.seconds for part in parts),
            seeds=attempt.seeds(),
            pieces=len(parts),
            draft=any(part.draft for part in parts),
        )
        self._writing.add(first.key)

        def tell(not_remembered: OSError | None) -> Step:
            self._writing.discard(first.key)
            self._made += len(takes)
            self._takes.warn_of_index(not_remembered)
            self._takes.report_miss(first, facts.seconds_spent)
            speech = len(samples) / self._engine.sample_rate
            self.report(
                TakeFinished(self.task, first.chunk.index, len(takes), speech, facts.seconds_spent, facts.tokens)
            )
            return self._finish_if_complete()

        return Errand(lambda: self._takes.write(takes, samples, facts), tell)

    def _finish_if_complete(self) -> Errand | None:
        """The last errand, once: where every take is written, have the file made of them."""
        if self._is_assembling or self._writing or not self._calls.are_done:
            return None
        self._is_assembling = True
        return Errand(
            self._finish, lambda finished: self._rendered("done", speech_seconds=finished.seconds), takes_long=True
        )

    def _finish(self) -> Finished:
        finished = self._assemble()
        self._write_manifest(finished=finished)
        remove_other_takes(self._run.chunks, {take.file_name for take in self._plan.takes})
        return finished

    def _assemble(self) -> Finished:
        takes = self._takes.for_assembly(self._plan.takes)
        output = self.task.output
        assembly = Assembly(takes, self._engine.sample_rate, output.chunk_silence, output.paragraph_silence)
        return export(self._run.final, assembly, output.sample_format)

    def _is_made_elsewhere(self, takes: Twins) -> bool:
        """Whether another run made these in the meantime: then they are copied."""
        if not all(self._takes.copy_from_elsewhere(take) for take in takes):
            return False
        self._reused += len(takes)
        self.report(TakesFound(self.task, len(takes)))
        return True

    def _is_finished(self, manifest: Mapping[str, Any]) -> bool:
        if not manifest.get("complete") or manifest.get("plan") != self._plan.digest or not self._run.final.is_file():
            return False
        output = manifest.get("output")
        return isinstance(output, dict) and output.get("bytes") == self._run.final.stat().st_size

    def _write_manifest(self, *, finished: Finished | None) -> None:
        takes = [(take, self._takes.path(take)) for take in self._plan.takes]
        self._run.write_manifest(
            make_manifest(
                self.task,
                self._plan,
                run=self._run.name,
                engine=self._engine,
                takes=takes,
                finished=finished,
                started=self._manifest.get("started"),
            )
        )

    def _rendered(self, outcome: Outcome, *, speech_seconds: float = 0.0) -> Rendered:
        return Rendered(
            self.task,
            self._run,
            outcome,
            rendered=self._made,
            reused=self._reused,
            speech_seconds=speech_seconds,
            work_seconds=self.work_seconds,
            draft=self._engine.draft,
        )
