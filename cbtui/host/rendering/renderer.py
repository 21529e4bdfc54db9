"""Renders one run of a task: takes that are missing, then the finished file.

Every take is on disk before the next is asked about, so whatever ends the process, the run goes on where it was.
"""

from __future__ import annotations

import errno
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cbtui.audio.assemble import Assembly, Take
from cbtui.audio.export import Finished, export
from cbtui.audio.takes import DamagedTake
from cbtui.core.events import CacheEvent, Noticed
from cbtui.core.task import Task
from cbtui.engine.base import ChunkFailure, ChunkRequest, ChunkResult, Engine, UnusableReference
from cbtui.host.rendering.attempts import TakeFailed, TakeInProgress
from cbtui.host.rendering.manifest import known_stamps, make_manifest
from cbtui.host.rendering.plan import Plan, PlannedTake, make_plan
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

Outcome = Literal["done", "skipped", "failed", "stopped", "unavailable"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of one run, or of a task that did not get as far as a run. `reason` says why one failed.

    `rendered` takes were made by the engine, `reused` were there or copied. `unavailable`: its engine is. `no_room`: it
    failed because the disk that holds this path is full.
    """

    task: Task
    run: Run | None
    outcome: Outcome
    reason: str = ""
    rendered: int = 0
    reused: int = 0
    speech_seconds: float = 0.0
    work_seconds: float = 0.0
    draft: bool = False
    no_room: Path | None = None

    @property
    def final(self) -> Path | None:
        """The finished file, of a run that has one."""
        return self.run.final if self.run and self.outcome in {"done", "skipped"} else None


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders runs with an engine that is prepared; what it learns goes to `report`.

    `should_stop` is asked before every token, `should_yield` before every chunk.
    """

    engine: Engine
    index: TakeIndex
    report: ReportSink
    should_stop: Callable[[], bool]
    should_yield: Callable[[], bool] = lambda: False

    def render(self, task: Task, run: Run, *, seed: int, rebuild: bool = False) -> Rendered:
        """Bring a run up to date with its task. A run that is, is skipped, unless `rebuild` asks for its file anew.

        Raises EngineUnavailable. What concerns this task alone is an outcome, not an exception.
        """
        started = time.monotonic()
        try:
            plan = make_plan(task, self.engine, seed=seed)
            for warning in plan.warnings:
                self.report(Noticed(f"{task.id}: {warning}", "warning"))
            if not plan.takes:
                return Rendered(task, run, "failed", "the text has nothing to speak: no letter and no digit")
            return _RunInProgress(self, task, run, plan, started).bring_up_to_date(rebuild=rebuild)
        except (TakeFailed, UnusableReference, DamagedTake) as error:
            return Rendered(task, run, "failed", str(error), work_seconds=time.monotonic() - started)
        except OSError as error:
            seconds = time.monotonic() - started
            return Rendered(task, run, "failed", _explain(error), work_seconds=seconds, no_room=full_disk(error))


class _RunInProgress:
    def __init__(self, renderer: Renderer, task: Task, run: Run, plan: Plan, started: float) -> None:
        self._renderer = renderer
        self._task = task
        self._run = run
        self._plan = plan
        self._started = started
        self._rate = renderer.engine.sample_rate
        self._warned_of_index = False

    def bring_up_to_date(self, *, rebuild: bool) -> Rendered:
        manifest = self._run.read_manifest()
        known = known_stamps(manifest)
        missing = [take for take in self._plan.takes if not self._is_there(take, known)]
        if not missing and not rebuild and self._is_finished(manifest):
            self._report_hits(self._plan.takes)
            return self._rendered("skipped", reused=len(self._plan.takes))
        self._run.remove_leftovers()
        self._write_manifest(manifest, finished=None)
        wanting = {take.chunk.index for take in missing}
        self._report_hits(take for take in self._plan.takes if take.chunk.index not in wanting)
        missing = self._without_those_elsewhere(missing)
        reused = len(self._plan.takes) - len(missing)
        self._renderer.report(RunStarted(self._task, self._run.name, len(self._plan.takes), reused))
        made = self._render(missing)
        if made < len(missing):
            return self._rendered("stopped", rendered=made, reused=reused)
        finished = self._assemble()
        self._write_manifest(manifest, finished=finished)
        remove_other_takes(self._run.chunks, {take.file_name for take in self._plan.takes})
        return self._rendered("done", rendered=made, reused=reused, speech_seconds=finished.seconds)

    def _is_there(self, take: PlannedTake, known: Mapping[str, list[int]]) -> bool:
        path = self._path(take)
        stamp = known.get(take.file_name)
        # Reading every sample of a long book takes minutes; a file that nobody touched since is as it was.
        return (stamp is not None and stamp == take_stamp(path)) or is_usable(path, self._rate)

    def _render(self, missing: list[PlannedTake]) -> int:
        """Have the engine make these takes; returns for how many chunks it did before it was stopped."""
        in_progress = {
            take.request.request_id: TakeInProgress(take.request, self._task.max_retries) for take in _distinct(missing)
        }
        twins = _by_key(missing)
        planned = {take.request.request_id: take for take in missing}
        made = 0
        # Retries and halves come up while the engine works, after it has taken all it was offered.
        while in_progress and not self._interrupted():
            waiting = [request for attempt in in_progress.values() for request in attempt.waiting()]
            answered = False
            for result in self._results(waiting):
                answered = True
                name = result.request_id.rpartition(".")[0]
                attempt = in_progress[name]
                try:
                    attempt.receive(result)
                except TakeFailed as error:
                    raise TakeFailed(f"chunk {planned[name].chunk.index + 1} ({_begin(attempt)}): {error}") from error
                if attempt.whole:
                    del in_progress[name]
                    alike = twins[planned[name].key]
                    self._save(alike, attempt)
                    made += len(alike)
            if not answered and not self._interrupted():
                raise TakeFailed("the engine ended without an answer")
        return made

    def _interrupted(self) -> bool:
        return self._renderer.should_stop() or self._renderer.should_yield()

    def _results(self, requests: Iterable[ChunkRequest]) -> Iterable[ChunkResult | ChunkFailure]:
        offered = itertools.takewhile(lambda _: not self._renderer.should_yield(), requests)
        return self._renderer.engine.render(offered, emit=self._renderer.report, should_stop=self._renderer.should_stop)

    def _save(self, takes: list[PlannedTake], attempt: TakeInProgress) -> None:
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
        for take in takes:
            save_take(self._path(take), samples, self._rate, facts)
        self._remember(first)
        named = self._named(first)
        self._renderer.report(CacheEvent("chunk", first.key, hit=False, seconds=facts.seconds_spent, message=named))
        speech = len(samples) / self._rate
        self._renderer.report(
            TakeFinished(self._task, first.chunk.index, len(takes), speech, facts.seconds_spent, facts.tokens)
        )

    def _without_those_elsewhere(self, missing: list[PlannedTake]) -> list[PlannedTake]:
        """What is still to be made once takes that other runs have are copied, or the caller interrupts."""
        left: list[PlannedTake] = []
        for number, take in enumerate(missing):
            if self._interrupted():
                return left + missing[number:]
            if not self._copy_from_elsewhere(take):
                left.append(take)
        return left

    def _copy_from_elsewhere(self, take: PlannedTake) -> bool:
        index = self._renderer.index
        there = index.find(take.key, self._rate)
        samples = index.read(there) if there else None
        if samples is None:
            return False
        save_take(self._path(take), *samples)
        # The one it came from goes when its own text no longer has it.
        self._remember(take)
        self._report_hits([take])
        return True

    def _remember(self, take: PlannedTake) -> None:
        try:
            self._renderer.index.add(take.key, self._path(take))
        except OSError as error:
            if not self._warned_of_index:
                self._warned_of_index = True
                message = f"takes cannot be remembered for other tasks: {_explain(error)}"
                self._renderer.report(Noticed(message, "warning"))

    def _report_hits(self, takes: Iterable[PlannedTake]) -> None:
        for take in takes:
            facts = read_facts(self._path(take))
            saved = facts.seconds_spent if facts else 0.0
            self._renderer.report(CacheEvent("chunk", take.key, hit=True, saved=saved, message=self._named(take)))

    def _named(self, take: PlannedTake) -> str:
        return f"{self._task.id} #{take.chunk.index + 1}"

    def _assemble(self) -> Finished:
        takes = [
            Take(f"chunk {take.chunk.index + 1}", self._path(take), take.chunk.ends_paragraph)
            for take in self._plan.takes
        ]
        output = self._task.output
        assembly = Assembly(takes, self._rate, output.chunk_silence, output.paragraph_silence)
        return export(self._run.final, assembly, output.sample_format)

    def _is_finished(self, manifest: Mapping[str, Any]) -> bool:
        if not manifest.get("complete") or manifest.get("plan") != self._plan.digest or not self._run.final.is_file():
            return False
        output = manifest.get("output")
        return isinstance(output, dict) and output.get("bytes") == self._run.final.stat().st_size

    def _write_manifest(self, before: Mapping[str, Any], *, finished: Finished | None) -> None:
        takes = [(take, self._path(take)) for take in self._plan.takes]
        self._run.write_manifest(
            make_manifest(
                self._task,
                self._plan,
                run=self._run.name,
                engine=self._renderer.engine,
                takes=takes,
                finished=finished,
                started=before.get("started"),
            )
        )

    def _rendered(
        self, outcome: Outcome, *, rendered: int = 0, reused: int = 0, speech_seconds: float = 0.0
    ) -> Rendered:
        return Rendered(
            self._task,
            self._run,
            outcome,
            rendered=rendered,
            reused=reused,
            speech_seconds=speech_seconds,
            work_seconds=time.monotonic() - self._started,
            draft=self._renderer.engine.draft,
        )

    def _path(self, take: PlannedTake) -> Path:
        return self._run.chunks / take.file_name


def _by_key(takes: Iterable[PlannedTake]) -> dict[str, list[PlannedTake]]:
    groups: dict[str, list[PlannedTake]] = {}
    for take in takes:
        groups.setdefault(take.key, []).append(take)
    return groups


def _distinct(takes: Iterable[PlannedTake]) -> list[PlannedTake]:
    """One take of each key: a sentence that a text repeats is rendered once."""
    return [group[0] for group in _by_key(takes).values()]


def _begin(attempt: TakeInProgress) -> str:
    text = attempt.request.text
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def full_disk(error: OSError) -> Path | None:
    """Where there is no room, for an error that says so."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT} or not isinstance(error.filename, str):
        return None
    return Path(error.filename)


def _explain(error: OSError) -> str:
    return str(error) if error.filename is None else f"{error.filename}: {error.strerror}"
