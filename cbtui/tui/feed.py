"""The thread between the store and the screen: it reads what the screen wants to see, and posts what it asks."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual.message import Message

from cbtui.paths import Places
from cbtui.tui.messages import QueueRead
from cbtui.tui.snapshot import Snapshot, View

if TYPE_CHECKING:
    from cbtui.host.store import Store

log = logging.getLogger("cbtui.feed")

# As many as the queue's screen has room for.
LOOK_UPS = 200

_WITHOUT_STORE_SECONDS = 0.1
_AFTER_A_FAULT = 1.0

Ask = tuple[str, Mapping[str, object]]


class Feed:
    """Reads the store as often as `rate` (Hz) allows, at once when the wanted view changes; posts what is new.

    While the terminal's line `is_congested`, nothing is posted but what the person asked to see.

    Every public method may be called from any thread and never waits.
    """

    def __init__(
        self,
        places: Places,
        post: Callable[[Message], object],
        *,
        rate: float = 5.0,
        is_congested: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_congested = is_congested
        self._places = places
        self._post = post
        self._period = 1.0 / rate
        self._view = View()
        self._look_ups = LOOK_UPS
        self._opened: str | None = None
        self._held = False
        self._last: Snapshot | None = None
        self._asked: queue.SimpleQueue[Ask] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cbtui-feed", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()

    def want(self, view: View) -> None:
        """Show this part of the queue from now on."""
        if view != self._view:
            self._view = view
            self._wake.set()

    def want_look_ups(self, count: int = LOOK_UPS) -> None:
        """Show so many of the newest cache look-ups from now on."""
        self._look_ups = count
        self._wake.set()

    def open(self, task: str | None) -> None:
        """Read this task too from now on, whatever part of the queue is wanted."""
        self._opened = task
        self._wake.set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Post nothing meanwhile: nobody takes it in."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._wake.set()

    def ask(self, verb: str, **arguments: object) -> None:
        """Ask the host; the answer comes as HostAnswered."""
        self._asked.put((verb, arguments))
        self._wake.set()

    def _run(self) -> None:
        from cbtui.host.attaching import open_queue
        from cbtui.host.store import StoreError
        from cbtui.tui.reading import snapshot_without_store

        while not self._stopped.is_set():
            try:
                store = open_queue(self._places)
                if store is None:
                    self._work_off()
                    self._tell(snapshot_without_store(self._places, self._view))
                    self._wait(_WITHOUT_STORE_SECONDS)
                else:
                    with store:
                        self._follow(store)
            except (StoreError, OSError) as error:
                # The host may be setting it aside; the next look finds the new one.
                self._tell(snapshot_without_store(self._places, self._view, trouble=str(error)))
                self._wait(_AFTER_A_FAULT)
            except Exception:
                log.exception("unexpected error in the feed")
                self._wait(_AFTER_A_FAULT)

    def _follow(self, store: Store) -> None:
        """Read this store until the end, or until it is another one."""
        from cbtui.tui.reading import read_snapshot

        while not self._stopped.is_set() and store.path.exists():
            self._work_off()
            self._tell(read_snapshot(store, self._places, self._view, self._look_ups, self._opened))
            self._wait(self._period)

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _tell(self, snapshot: Snapshot) -> None:
        last = self._last
        wanted = last is None or (snapshot.view, snapshot.opened) != (last.view, last.opened)
        if snapshot != last and not self._held and (wanted or not self._is_congested()):
            self._last = snapshot
            self._post(QueueRead(snapshot))

    def _work_off(self) -> None:
        while not self._asked.empty():
            # An answer can take a while, and the screen goes on meanwhile.
            threading.Thread(target=self._ask, args=self._asked.get(), name="cbtui-ask", daemon=True).start()

    def _ask(self, verb: str, arguments: Mapping[str, object]) -> None:
        from cbtui.tui.reading import ask

        self._post(ask(self._places, verb, arguments))
        self._wake.set()
