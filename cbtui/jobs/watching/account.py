"""What the watcher knows: the ledgers of tasks, settings and references, and the troubles that were told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cbtui.core.stamp import Stamp
from cbtui.jobs.scan import natural_order
from cbtui.jobs.watching.ledger import FileEvent, Ledger, Look
from cbtui.jobs.watching.told import (
    FileAppeared,
    FileChanged,
    FileRenamed,
    FileVanished,
    FolderTrouble,
    ReferenceChanged,
    Rests,
    SettingsChanged,
    Told,
)
from cbtui.jobs.watching.tree import Sighting

_ORDER = (FolderTrouble, SettingsChanged, ReferenceChanged, FileVanished, FileRenamed, FileChanged, FileAppeared)

Troubles = frozenset[tuple[str, str]]


class Account:
    """Turns what a look found into what the consumer is told."""

    def __init__(self, rests: Rests, held_open: Callable[[str, Stamp], bool]) -> None:
        self.tasks = Ledger(rests, held_open)
        self.settings = Ledger(rests, held_open)
        self.references = Ledger(rests, held_open)
        self._referred: set[str] = set()
        self._troubles: Troubles = frozenset()
        self._has_settings = False

    @property
    def waiting(self) -> frozenset[str]:
        """Task and settings files that the next look must name."""
        return self.tasks.waiting | self.settings.waiting

    def referred(self, hinted: Iterable[str] | None) -> frozenset[str]:
        """The references to look at: all of them for None, else those that are hinted at or waited for."""
        return frozenset(self._referred if hinted is None else self._referred.intersection(hinted)).union(
            self.references.waiting
        )

    def due(self) -> float | None:
        """When a next look could have something to tell."""
        ledgers = (self.tasks, self.settings, self.references)
        return min((due for ledger in ledgers if (due := ledger.due()) is not None), default=None)

    def refer_to(self, stamps: Mapping[str, Stamp | None], at: float) -> None:
        """Watch exactly these references; of those already watched, what is known stays."""
        self.references.forget(self._referred - stamps.keys())
        self._referred = set(stamps)
        for path, stamp in stamps.items():
            self.references.adopt(path, stamp, at)

    def take(self, sighting: Sighting, references: Mapping[str, Stamp | None], look: Look) -> list[Told]:
        """What is to be told after a look, in no order. `look` says when it was, and whether it was complete."""
        told: list[Told] = []
        readable = not sighting.unreadable
        if look.complete and readable and not self._has_settings:
            self._has_settings = True
            for path, stamp in sighting.settings.items():
                self.settings.adopt(path, stamp, look.ended)
        told += self.tasks.take(_of(look, sighting.tasks))
        told += _settings_told(self.settings.take(_of(look, sighting.settings)))
        told += _references_told(self.references.take(Look(look.began, look.ended, references)))
        return told

    def take_troubles(self, troubles: Troubles) -> list[Told]:
        """What began and what ended, of all (path, reason) that there are."""
        told: list[Told] = [FolderTrouble(Path(path), reason, over=True) for path, reason in self._troubles - troubles]
        told += [FolderTrouble(Path(path), reason) for path, reason in troubles - self._troubles]
        self._troubles = troubles
        return told


def in_order(told: list[Told]) -> tuple[Told, ...]:
    """Troubles, then settings and references, which decide what a task file means, then task files as people count."""
    places = {path: number for number, path in enumerate(natural_order({_path_of(event) for event in told}))}
    return tuple(sorted(told, key=lambda event: (_ORDER.index(type(event)), places[_path_of(event)])))


def _of(look: Look, seen: Mapping[str, Stamp | None]) -> Look:
    return Look(look.began, look.ended, seen, look.complete, look.unreadable)


def _path_of(event: Told) -> Path:
    return event.new if isinstance(event, FileRenamed) else event.path


def _settings_told(events: Iterable[FileEvent]) -> list[Told]:
    told: list[Told] = []
    for event in events:
        paths = (event.old, event.new) if isinstance(event, FileRenamed) else (event.path,)
        told += [SettingsChanged(path) for path in paths]
    return told


def _references_told(events: Iterable[FileEvent]) -> list[Told]:
    told: list[Told] = []
    for event in events:
        if isinstance(event, FileRenamed):
            told += [ReferenceChanged(event.old, None), ReferenceChanged(event.new, event.stamp)]
        else:
            told.append(ReferenceChanged(event.path, None if isinstance(event, FileVanished) else event.stamp))
    return told
