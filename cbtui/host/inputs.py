"""The files that tasks are read from besides their own: texts, clips and settings, which the watcher is to tell of."""

from __future__ import annotations

from pathlib import Path

from cbtui.host.store import Store
from cbtui.jobs.watching import Watcher


class Inputs:
    """`changed` is to be set whenever the store's inputs may have become others; the user's settings always count."""

    def __init__(self, watcher: Watcher, user_settings: Path) -> None:
        self.changed = True
        self._watcher = watcher
        self._user_settings = user_settings
        self._watched: set[Path] = set()

    def watch(self, store: Store) -> list[Path]:
        """Have the watcher tell of every input; gives the files to be read anew.

        Those are the ones whose input changed between the reading and this moment, of which nobody else tells.
        """
        inputs = store.files.inputs()
        self.changed = False
        wanted = {*inputs, self._user_settings}
        if wanted == self._watched:
            return []
        there = self._watcher.watch_also(wanted)
        stale = [path for path in inputs.keys() - self._watched if inputs[path] != {there[path]}]
        self._watched = wanted
        return [source for path in stale for source in store.files.reading(path)]
