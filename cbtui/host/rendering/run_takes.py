"""The takes in a run's folder: which are there, which another run has, and where others find these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cbtui.audio.assemble import Take
from cbtui.audio.takes import Samples
from cbtui.core.events import CacheEvent, Noticed
from cbtui.host.rendering.calls import Twins
from cbtui.host.rendering.plan import PlannedTake
from cbtui.host.rendering.rendered import explain
from cbtui.host.rendering.reports import ReportSink
from cbtui.host.rendering.takes import TakeFacts, TakeIndex, is_usable, read_facts, save_take, take_stamp


class RunTakes:
    """`rate` is in Hz; `task` is how reports name the takes."""

    def __init__(self, folder: Path, rate: int, index: TakeIndex, *, task: str, report: ReportSink) -> None:
        self._folder = folder
        self._rate = rate
        self._index = index
        self._task = task
        self._report = report
        self._warned_of_index = False

    def path(self, take: PlannedTake) -> Path:
        return self._folder / take.file_name

    def is_there(self, take: PlannedTake, known: Mapping[str, list[int]]) -> bool:
        """`known`: stamps of takes that were read whole, by file name."""
        path = self.path(take)
        stamp = known.get(take.file_name)
        # Reading every sample of a long book takes minutes; a file that nobody touched since is as it was.
        return (stamp is not None and stamp == take_stamp(path)) or is_usable(path, self._rate)

    def write(self, takes: Twins, samples: Samples, facts: TakeFacts) -> OSError | None:
        """Write a take under the name of every chunk that has its key. Raises OSError and DamagedTake.

        Returns why others will not find it, for `warn_of_index`; so this part may be another thread's.
        """
        for take in takes:
            save_take(self.path(take), samples, self._rate, facts)
        return self._remember(takes[0])

    def copy_from_elsewhere(self, take: PlannedTake) -> bool:
        """Whether another run has this take: then it is in this one too, and counts as a hit. Raises as `write`."""
        there = self._index.find(take.key, self._rate)
        samples = self._index.read(there) if there else None
        if samples is None:
            return False
        save_take(self.path(take), *samples)
        # The one it came from goes when its own text no longer has it.
        self.warn_of_index(self._remember(take))
        self.report_hits([take])
        return True

    def without_those_elsewhere(
        self, missing: list[PlannedTake], is_interrupted: Callable[[], bool]
    ) -> list[PlannedTake]:
        """What is still to be made once takes that other runs have are copied, or the caller interrupts."""
        left: list[PlannedTake] = []
        for number, take in enumerate(missing):
            if is_interrupted():
                return left + missing[number:]
            if not self.copy_from_elsewhere(take):
                left.append(take)
        return left

    def warn_of_index(self, error: OSError | None) -> None:
        if error is not None and not self._warned_of_index:
            self._warned_of_index = True
            self._report(Noticed(f"takes cannot be remembered for other tasks: {explain(error)}", "warning"))

    def report_hits(self, takes: Iterable[PlannedTake]) -> None:
        for take in takes:
            facts = read_facts(self.path(take))
            saved = facts.seconds_spent if facts else 0.0
            self._report(CacheEvent("chunk", take.key, hit=True, saved=saved, message=self._named(take)))

    def report_miss(self, take: PlannedTake, seconds: float) -> None:
        self._report(CacheEvent("chunk", take.key, hit=False, seconds=seconds, message=self._named(take)))

    def for_assembly(self, takes: Iterable[PlannedTake]) -> list[Take]:
        return [Take(f"chunk {take.chunk.index + 1}", self.path(take), take.chunk.ends_paragraph) for take in takes]

    def _remember(self, take: PlannedTake) -> OSError | None:
        try:
            self._index.add(take.key, self.path(take))
        except OSError as error:
            return error
        return None

    def _named(self, take: PlannedTake) -> str:
        return f"{self._task} #{take.chunk.index + 1}"
