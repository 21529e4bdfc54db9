"""The thread that owns the engine: as long as there is a task, it has the next one rendered."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cbtui.engine.cache_log import CacheLog
from cbtui.host.blocks import Blocks
from cbtui.host.current import Current
from cbtui.host.doing import Doing
from cbtui.host.faults import Faults
from cbtui.host.hooks import Hooks
from cbtui.host.journal import Journal, JournalEntry
from cbtui.host.options import HostOptions
from cbtui.host.outcomes import Outcomes
from cbtui.host.persistence import GivenUp, Insistence
from cbtui.host.picking import Picking, is_folder
from cbtui.host.reading import Reader
from cbtui.host.rendering.engines import Engines
from cbtui.host.store import Store, attach_store
from cbtui.host.watchman import Watchman
from cbtui.host.working import Working

log = logging.getLogger("cbtui.line")

_TURN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the engine's thread works with, over a store of its own."""

    outcomes: Outcomes
    picking: Picking
    working: Working


class Line:
    """Works the queue off. Its public methods may be called from any thread.

    `look_again` has the intake read a file anew. `restart_wanted` is set when only a new process can go on.
    """

    def __init__(
        self,
        store: Path,
        engines: Engines,
        reader: Reader,
        *,
        options: HostOptions,
        journal: Journal,
        hooks: Hooks,
        look_again: Callable[[Path], None],
        on_finished: Callable[[], None],
    ) -> None:
        self._store_path = store
        self._engines = engines
        self._reader = reader
        self._options = options
        self._journal = journal
        self._hooks = hooks
        self._look_again = look_again
        self._stopped = threading.Event()
        self._finishing = threading.Event()
        self._on_finished = on_finished
        self._wake = threading.Event()
        self._insist = Insistence(self._stopped, journal)
        self._faults = Faults("notice", journal)
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._blocks = Blocks()
        self._watchman = Watchman(journal)
        self._worked_at = time.monotonic()
        self._has_worked = False
        self._parts: _Parts | None = None
        self.doing = Doing()
        self.restart_wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cbtui-engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End within a token; the tasks that are being rendered go back to their places."""
        self._stopped.set()
        self._wake.set()

    def finish(self) -> None:
        """Take no further task, give back those under way at their next chunk border, then call `on_finished`."""
        self._finishing.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end; whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """Something about the queue changed."""
        self._wake.set()

    def ask(self, action: Callable[[], None]) -> None:
        """Have the engine's thread do this between two tasks."""
        self._asked.put(action)
        self._wake.set()

    def try_again(self) -> None:
        """See at once whether what blocks tasks is gone."""
        self.ask(lambda: self._blocks.make_due(time.monotonic()))

    def restart(self) -> None:
        """The device does nothing more in this process: another is to go on."""
        self.restart_wanted.set()
        self.stop()
        self._on_finished()

    def forget_memory(self) -> None:
        """Models were loaded or unloaded: what memory held before is no measure any more."""
        self._watchman.forget_memory()

    @property
    def in_work(self) -> tuple[Current, ...]:
        """The renderings that are under way."""
        return self._parts.picking.in_work if self._parts is not None else ()

    @property
    def hold(self) -> str:
        """Why nothing can be rendered at all; empty where nothing stands in the way."""
        if self._insist.trouble:
            return self._insist.trouble
        if block := self._blocks.full_disk:
            return f"no space left on the disk of {block.place}"
        return "" if is_folder(self._reader.root) else f"the jobs directory {self._reader.root} cannot be reached"

    def should_stop(self) -> bool:
        return self._stopped.is_set()

    def is_ending(self) -> bool:
        """Whether it takes no further task."""
        return self._stopped.is_set() or self._finishing.is_set()

    def _run(self) -> None:
        # Where it is given up, the host stops.
        with contextlib.suppress(GivenUp), self._insist(lambda: attach_store(self._store_path)) as store:
            parts = self._parts = self._assemble(store)
            while not self._stopped.is_set():
                try:
                    self._turn(store, parts)
                    self._faults.forget()
                except GivenUp:
                    raise
                except Exception as error:  # noqa: BLE001 - it is told
                    # A line that died in silence would leave the queue standing for ever.
                    self._faults.tell(error)
                    self._stopped.wait(_TURN_SECONDS)

    def _assemble(self, store: Store) -> _Parts:
        outcomes = Outcomes(
            store,
            self._blocks,
            output=self._engines.places.output,
            insist=self._insist,
            journal=self._journal,
            hooks=self._hooks,
            look_again=self._look_again,
        )
        picking = Picking(
            store,
            self._reader,
            outcomes,
            insist=self._insist,
            journal=self._journal,
            overtake=self._options.overtake,
            loaded_models=self._engines.loaded_models,
            look_again=self._look_again,
        )
        working = Working(
            store,
            self._engines,
            picking,
            outcomes,
            blocks=self._blocks,
            cache_log=CacheLog(self._engines.places.cache_log),
            watchman=self._watchman,
            doing=self.doing,
            journal=self._journal,
            may_begin=lambda: self._may_begin(outcomes),
            must_yield=self._finishing.is_set,
            should_stop=self.should_stop,
            on_lost=self.restart,
        )
        return _Parts(outcomes, picking, working)

    def _turn(self, store: Store, parts: _Parts) -> None:
        while not self._asked.empty():
            self._asked.get()()
            self._worked_at = time.monotonic()
        parts.outcomes.release_what_is_due()
        if self._finishing.is_set():
            self._on_finished()
            self._stopped.wait(_TURN_SECONDS)
            return
        current = None if self.hold else parts.picking.begin_next()
        if current is not None:
            self._has_worked = True
            parts.working.render(current)
            self._worked_at = time.monotonic()
            return
        if self._has_worked and not self.hold:
            self._tell_if_empty(store)
        self._unload_when_idle()
        due = self._blocks.next_due()
        seconds = _TURN_SECONDS if due is None else min(_TURN_SECONDS, due - time.monotonic())
        self._wake.wait(max(0.01, seconds))
        self._wake.clear()

    def _may_begin(self, outcomes: Outcomes) -> bool:
        """Whether a task may be begun beside others; what is asked for meanwhile waits until they are through."""
        if self._finishing.is_set() or self._stopped.is_set() or not self._asked.empty() or self.hold:
            return False
        outcomes.release_what_is_due()
        return True

    def _unload_when_idle(self) -> None:
        limit = self._options.idle_unload
        if limit is None or time.monotonic() - self._worked_at < limit or not self._engines.loaded_models():
            return
        names = ", ".join(sorted(self._engines.loaded_models()))
        self._engines.unload()
        self.forget_memory()
        self._journal(JournalEntry("model", f"unloaded {names} after {limit:.0f} s without work"))

    def _tell_if_empty(self, store: Store) -> None:
        """Once it has worked, when nothing is left that it could go on with by itself."""
        counts: dict[str, object] = {state: count for state, count in store.queue.counts().items() if count}
        if store.meta.paused or counts.keys() & {"queued", "blocked"}:
            return
        self._has_worked = False
        self._journal(JournalEntry("empty", "nothing is left to render", facts=counts))
        self._hooks.run("queue_empty", {"counts": counts})
