"""A rendering that is under way: what the engine's thread says of it, and what others want of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from cbtui.core.events import CacheEvent, ChunkProgressed, Noticed
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.rendering.pace import TokenPace
from cbtui.host.rendering.reports import Report, RunStarted, TakeFinished, TakesFound
from cbtui.host.store import Progress, Store, StoreError, TaskRow


@dataclass(slots=True)
class Wishes:
    """What other threads want of the rendering: to end within a token, or at the next border of two chunks."""

    stop: threading.Event = field(default_factory=threading.Event)
    make_way: threading.Event = field(default_factory=threading.Event)


class Current:
    """Listens to the renderer for one task, and has what it hears written into the store.

    Belongs to the engine's thread, but for `task`, `wishes`, `tokens_per_second` and `chunks`, the indices of those
    whose takes are being made. `take_seconds` is the work that went into takes of `chunks_made` chunks; `has_run` tells
    that a run has begun.
    """

    def __init__(self, task: TaskRow, store: Store, journal: Journal) -> None:
        self.task = task
        self.wishes = Wishes()
        self.chunks: frozenset[int] = frozenset()
        self.take_seconds = 0.0
        self.chunks_made = 0
        self.has_run = False
        self._store = store
        self._journal = journal
        self._done = 0
        self._total = 0
        self._pace = TokenPace()
        self._looked_up: list[CacheEvent] = []
        self._fresh_run_unwritten = False
        self._told_of_store = False

    @property
    def tokens_per_second(self) -> float:
        """Of all chunks that are being drawn now, since the last was finished; 0 where nothing is."""
        return self._pace.per_second()

    def listen(self, report: Report) -> TakeFinished | None:
        """Returns the report itself where it tells of a take."""
        match report:
            case CacheEvent():
                self._looked_up.append(report)
                if report.message and report.layer != "chunk":
                    look_up: dict[str, object] = {"layer": report.layer, "hit": report.hit, "key": report.key}
                    self._journal(JournalEntry("cache", report.message, self.task.id, facts=look_up))
            case Noticed(message, level):
                self._journal(JournalEntry("notice", message, self.task.id, level))
            case RunStarted():
                self.has_run = True
                # From here on the fresh run is the newest: after a crash it goes on, and no other is begun.
                self._fresh_run_unwritten = self.task.fresh
                self._done, self._total = report.ready, report.chunks
                self._pace.restart()
                start: dict[str, object] = {"run": report.run, "chunks": report.chunks, "ready": report.ready}
                ready = f", {report.ready} ready" if report.ready else ""
                message = f"run {report.run}: {report.chunks} chunks{ready}"
                self._journal(JournalEntry("rendering", message, self.task.id, facts=start))
                write_progress(self._store, [self])
            case ChunkProgressed():
                self._pace.count(report)
            case TakesFound(_, chunks):
                self._done += chunks
                write_progress(self._store, [self])
            case TakeFinished():
                self._finish_take(report)
                return report
        return None

    def write_look_ups(self) -> None:
        """Write down the cache look-ups so far, in the transaction that is open. Raises StoreFull and the like."""
        if self._looked_up:
            self._store.cache_events.append(self._looked_up)

    def forget_look_ups(self) -> None:
        """They are written for good, or can never be."""
        self._looked_up.clear()

    def _finish_take(self, take: TakeFinished) -> None:
        self._done += take.chunks
        self.chunks_made += take.chunks
        self._pace.restart()
        self.take_seconds += take.work_seconds
        facts: dict[str, object] = {"done": self._done, "chunks": self._total}
        facts |= {"speech_seconds": round(take.speech_seconds, 2), "work_seconds": round(take.work_seconds, 2)}
        speech = f"{take.speech_seconds:.1f} s of speech in {take.work_seconds:.1f} s"
        message = f"{self._done}/{self._total} chunks, {speech}"
        self._journal(JournalEntry("chunk", message, self.task.id, facts=facts))
        write_progress(self._store, [self], advanced=True)

    def write(self, *, advanced: bool) -> None:
        """Write down how far it is, in the transaction that is open. Raises StoreError."""
        self._store.tasks.set_progress(
            self.task.id, Progress(self._done, self._total, self._pace.total), advanced=advanced
        )
        if self._fresh_run_unwritten:
            self._store.tasks.begin_fresh_run(self.task.id)
        self.write_look_ups()

    def is_written(self) -> None:
        """What `write` wrote stands."""
        self._told_of_store = self._fresh_run_unwritten = False
        self.forget_look_ups()

    def is_not_written(self, error: StoreError) -> None:
        if not self._told_of_store:
            self._told_of_store = True
            self._journal(JournalEntry("store", f"progress is not written: {error}", self.task.id, "warning"))


def write_progress(store: Store, currents: Sequence[Current], *, advanced: bool = False) -> None:
    """Write down how far these renderings are, all in one transaction.

    Progress that cannot be written is only old when the next is.
    """
    try:
        with store.transaction():
            for current in currents:
                current.write(advanced=advanced)
    except StoreError as error:
        for current in currents:
            current.is_not_written(error)
    else:
        for current in currents:
            current.is_written()
