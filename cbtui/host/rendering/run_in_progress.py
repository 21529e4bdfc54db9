"""One run of a task being brought up to date: it asks for the takes that are missing, and ends with the finished file.

Every take is on disk before its chunk counts as done, so whatever ends the process, the run goes on where it was.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cbtui.audio.assemble import Assembly, Take
from cbtui.audio.export import Finished, export
from cbtui.audio.takes import DamagedTake
from cbtui.core.events import CacheEvent, Noticed
from cbtui.core.task import Task
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, Engine, UnusableReference
from cbtui.host.rendering.attempts import TakeFailed, TakeInProgress
from cbtui.host.rendering.manifest import known_stamps, make_manifest
from cbtui.host.rendering.plan import Plan, PlannedTake, make_plan
from cbtui.host.rendering.rendered import Outcome, Rendered, explain, full_disk
from cbtui.host.rendering.reports import ReportSink, RunStarted, TakeFinished
from cbtui.host.rendering.runs import Run
from cbtui.host.rendering.takes import (
    TakeFacts,
    TakeIndex,
    is_usable,
    read_facts,
    remove_other_takes,
    save_take,
    take_stamp,
)


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
        self._index = index
        self._seed = seed
        self._rebuild = rebuild
        self._should_yield = should_yield
        self._plan = Plan(seed, (), (), "")
        self._manifest: Mapping[str, Any] = {}
        self._attempts: dict[str, TakeInProgress] = {}
        self._planned: dict[str, PlannedTake] = {}
        self._twins: dict[str, list[PlannedTake]] = {}
        self._waiting: deque[ChunkRequest] = deque()
        self._in_work: set[str] = set()
        self._made = 0
        self._reused = 0
        self._warned_of_index = False

    @property
    def in_work(self) -> int:
        """How many requests were handed out and are not answered."""
        return len(self._in_work)

    def begin(self) -> Rendered | None:
        """See what is there; None where takes are to be made, for which `next_request` then asks.

        Raises EngineUnavailable. What concerns this task alone is an outcome, not an exception.
        """
        return self._guarded(self._begin)

    def next_request(self) -> ChunkRequest | None:
        """The next call that is wanted of the engine; None where none is, for now."""
        if not self._waiting or self.is_interrupted():
            return None
        request = self._waiting.popleft()
        self._in_work.add(request.request_id)
        return request

    def receive(self, result: ChunkResult | ChunkFailure) -> Rendered | None:
        """Take in the answer to a request that was handed out; the outcome, where it was the last."""
        return self._guarded(lambda: self._receive(result))

    def take_back(self) -> None:
        """No request that was handed out will be answered: ask for them again."""
        self._in_work.clear()
        self._waiting = deque(request for attempt in self._attempts.values() for request in attempt.waiting())

    def is_interrupted(self) -> bool:
        return self.should_stop() or self._should_yield()

    def end_early(self) -> Rendered:
        """The outcome of a run that was interrupted: its takes stay."""
        return self._rendered("stopped")

    def fail(self, reason: str, *, no_room: OSError | None = None) -> Rendered:
        place = full_disk(no_room) if no_room else None
        return Rendered(self.task, self._run, "failed", reason, work_seconds=self.work_seconds, no_room=place)

    def _guarded(self, step: Callable[[], Rendered | None]) -> Rendered | None:
        started = time.monotonic()
        try:
            outcome = step()
        except (TakeFailed, UnusableReference, DamagedTake) as error:
            outcome = self.fail(str(error))
        except OSError as error:
            outcome = self.fail(explain(error), no_room=error)
        finally:
            self.work_seconds += time.monotonic() - started
        return replace(outcome, work_seconds=self.work_seconds) if outcome else None

    def _begin(self) -> Rendered | None:
        self._plan = plan = make_plan(self.task, self._engine, seed=self._seed)
        for warning in plan.warnings:
            self.report(Noticed(f"{self.task.id}: {warning}", "warning"))
        if not plan.takes:
            return self.fail("the text has nothing to speak: no letter and no digit")
        self._manifest = manifest = self._run.read_manifest()
        known = known_stamps(manifest)
        missing = [take for take in plan.takes if not self._is_there(take, known)]
        if not missing and not self._rebuild and self._is_finished(manifest):
            self._report_hits(plan.takes)
            self._reused = len(plan.takes)
            return self._rendered("skipped")
        self._run.remove_leftovers()
        self._write_manifest(finished=None)
        wanting = {take.chunk.index for take in missing}
        self._report_hits(take for take in plan.takes if take.chunk.index not in wanting)
        missing = self._without_those_elsewhere(missing)
        self._reused = len(plan.takes) - len(missing)
        self.report(RunStarted(self.task, self._run.name, len(plan.takes), self._reused))
        self._plan_calls(missing)
        return None if missing else self._finish()

    def _plan_calls(self, missing: list[PlannedTake]) -> None:
        """One take of each key: a sentence that a text repeats is rendered once."""
        self._twins = _by_key(missing)
        for first, *_ in self._twins.values():
            name = first.request.request_id
            self._planned[name] = first
            self._attempts[name] = TakeInProgress(first.request, self.task.max_retries)
        self.take_back()

    def _receive(self, result: ChunkResult | ChunkFailure) -> Rendered | None:
        self._in_work.discard(result.request_id)
        name = result.request_id.rpartition(".")[0]
        attempt = self._attempts[name]
        wanted = {request.request_id for request in attempt.waiting()} - {result.request_id}
        try:
            attempt.receive(result)
        except TakeFailed as error:
            chunk = self._planned[name].chunk.index + 1
            raise TakeFailed(f"chunk {chunk} ({_begin_of(attempt)}): {error}") from error
        if attempt.whole:
            del self._attempts[name]
            self._save(self._twins[self._planned[name].key], attempt)
            return None if self._attempts else self._finish()
        # The next seed, or the halves.
        again = [request for request in attempt.waiting() if request.request_id not in wanted]
        self._waiting.extendleft(reversed(again))
        return None

    def _save(self, takes: list[PlannedTake], attempt: TakeInProgress) -> None:
        """Write a take under the name of every chunk that has this key, and tell of it."""
        samples, parts = attempt.samples(), attempt.facts()
        first, rate = takes[0], self._engine.sample_rate
        facts = TakeFacts(
            key=first.key,
            text=first.chunk.text,
            tokens=sum(part.tokens for part in parts),
            seconds_spent=sum(part.seconds for part in parts),
            seeds=attempt.seeds(),
            pieces=len(parts),
            draft=any(part.draft for part in parts),
        )
        for take in takes:
            save_take(self._path(take), samples, rate, facts)
        self._made += len(takes)
        self._remember(first)
        self.report(CacheEvent("chunk", first.key, hit=False, seconds=facts.seconds_spent, message=self._named(first)))
        speech = len(samples) / rate
        self.report(TakeFinished(self.task, first.chunk.index, len(takes), speech, facts.seconds_spent, facts.tokens))

    def _finish(self) -> Rendered:
        finished = self._assemble()
        self._write_manifest(finished=finished)
        remove_other_takes(self._run.chunks, {take.file_name for take in self._plan.takes})
        return self._rendered("done", speech_seconds=finished.seconds)

    def _assemble(self) -> Finished:
        takes = [
            Take(f"chunk {take.chunk.index + 1}", self._path(take), take.chunk.ends_paragraph)
            for take in self._plan.takes
        ]
        output = self.task.output
        assembly = Assembly(takes, self._engine.sample_rate, output.chunk_silence, output.paragraph_silence)
        return export(self._run.final, assembly, output.sample_format)

    def _is_there(self, take: PlannedTake, known: Mapping[str, list[int]]) -> bool:
        path = self._path(take)
        stamp = known.get(take.file_name)
        # Reading every sample of a long book takes minutes; a file that nobody touched since is as it was.
        return (stamp is not None and stamp == take_stamp(path)) or is_usable(path, self._engine.sample_rate)

    def _without_those_elsewhere(self, missing: list[PlannedTake]) -> list[PlannedTake]:
        """What is still to be made once takes that other runs have are copied, or the caller interrupts."""
        left: list[PlannedTake] = []
        for number, take in enumerate(missing):
            if self.is_interrupted():
                return left + missing[number:]
            if not self._copy_from_elsewhere(take):
                left.append(take)
        return left

    def _copy_from_elsewhere(self, take: PlannedTake) -> bool:
        there = self._index.find(take.key, self._engine.sample_rate)
        samples = self._index.read(there) if there else None
        if samples is None:
            return False
        save_take(self._path(take), *samples)
        # The one it came from goes when its own text no longer has it.
        self._remember(take)
        self._report_hits([take])
        return True

    def _remember(self, take: PlannedTake) -> None:
        try:
            self._index.add(take.key, self._path(take))
        except OSError as error:
            if not self._warned_of_index:
                self._warned_of_index = True
                message = f"takes cannot be remembered for other tasks: {explain(error)}"
                self.report(Noticed(message, "warning"))

    def _report_hits(self, takes: Iterable[PlannedTake]) -> None:
        for take in takes:
            facts = read_facts(self._path(take))
            saved = facts.seconds_spent if facts else 0.0
            self.report(CacheEvent("chunk", take.key, hit=True, saved=saved, message=self._named(take)))

    def _named(self, take: PlannedTake) -> str:
        return f"{self.task.id} #{take.chunk.index + 1}"

    def _is_finished(self, manifest: Mapping[str, Any]) -> bool:
        if not manifest.get("complete") or manifest.get("plan") != self._plan.digest or not self._run.final.is_file():
            return False
        output = manifest.get("output")
        return isinstance(output, dict) and output.get("bytes") == self._run.final.stat().st_size

    def _write_manifest(self, *, finished: Finished | None) -> None:
        takes = [(take, self._path(take)) for take in self._plan.takes]
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

    def _path(self, take: PlannedTake) -> Path:
        return self._run.chunks / take.file_name


def _by_key(takes: Iterable[PlannedTake]) -> dict[str, list[PlannedTake]]:
    groups: dict[str, list[PlannedTake]] = {}
    for take in takes:
        groups.setdefault(take.key, []).append(take)
    return groups


def _begin_of(attempt: TakeInProgress) -> str:
    text = attempt.request.text
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
