"""The thread between the store and the screen: it reads what the screen wants to see, and posts what it asks."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from textual.message import Message

from cbtui.host.attaching import ask_host, open_queue
from cbtui.host.estimates import Pace, queue_seconds
from cbtui.host.live import LiveFile
from cbtui.host.lock import find_host
from cbtui.host.store import Filter, Store, StoreError, TaskRow, UnknownTask
from cbtui.paths import Places
from cbtui.tui.messages import HostAnswered, QueueRead
from cbtui.tui.snapshot import Snapshot, View

log = logging.getLogger("cbtui.feed")

_CACHE_EVENTS = 200
_WITHOUT_STORE_SECONDS = 0.1

Ask = tuple[str, Mapping[str, object]]


class Feed:
    """Reads the store as often as `rate` (Hz) allows, at once when the wanted view changes; posts what is new.

    Every public method may be called from any thread and never waits.
    """

    def __init__(self, places: Places, post: Callable[[Message], object], *, rate: float = 5.0) -> None:
        self._places = places
        self._post = post
        self._period = 1.0 / rate
        self._view = View()
        self._asked: queue.SimpleQueue[Ask] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._live = LiveFile.of(places)
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

    def ask(self, verb: str, **arguments: object) -> None:
        """Ask the host; the answer comes as HostAnswered."""
        self._asked.put((verb, arguments))
        self._wake.set()

    def _run(self) -> None:
        last: Snapshot | None = None
        while not self._stopped.is_set():
            try:
                store = open_queue(self._places)
                if store is None:
                    last = self._tell(self._without_store(), last)
                    self._wait(_WITHOUT_STORE_SECONDS)
                    continue
                with store:
                    while not self._stopped.is_set() and store.path.exists():
                        self._work_off(store)
                        last = self._tell(self._read(store), last)
                        self._wait(self._period)
            except (StoreError, OSError) as error:
                # The host may be setting it aside; the next look finds the new one.
                last = self._tell(replace(self._without_store(), trouble=str(error)), last)
                self._wait(1.0)
            except Exception:
                log.exception("unexpected error in the feed")
                self._wait(1.0)

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _tell(self, snapshot: Snapshot, last: Snapshot | None) -> Snapshot:
        if snapshot != last:
            self._post(QueueRead(snapshot))
        return snapshot

    def _without_store(self) -> Snapshot:
        return Snapshot(view=self._view, holder=find_host(self._places))

    def _read(self, store: Store) -> Snapshot:
        view = self._view
        rendering = store.queue.page(limit=10, only=Filter(states=("rendering",)))
        pace = Pace.of(store.work.speeds())
        holder = find_host(self._places)
        return Snapshot(
            view=view,
            total=store.queue.count(view.only),
            rows=store.queue.window(limit=view.height, offset=view.top, only=view.only, by=view.sort),
            focus=_find(store, view.focus),
            counts=store.queue.counts(),
            paused=store.meta.paused,
            seconds_left=queue_seconds(store.work.amounts("queued"), rendering, pace),
            pace=pace,
            holder=holder,
            live=self._live.read() if holder else {},
            cache_events=store.cache_events.newest(_CACHE_EVENTS),
            cache_sums=store.cache_events.sums(),
        )

    def _work_off(self, store: Store) -> None:
        while not self._asked.empty():
            verb, arguments = self._asked.get()
            # An answer can take a while, and the screen goes on meanwhile.
            threading.Thread(target=self._ask, args=(verb, arguments), name="cbtui-ask", daemon=True).start()

    def _ask(self, verb: str, arguments: Mapping[str, object]) -> None:
        try:
            store = open_queue(self._places, make=True)
            assert store is not None
            with store:
                command = ask_host(store, self._places, verb, arguments)
        except (StoreError, OSError) as error:
            self._post(HostAnswered(f"{verb}: {error}", refused=True))
            return
        if command is None:
            self._post(HostAnswered(f"{verb}: no host answers; it waits for the next one", refused=True))
        else:
            self._post(HostAnswered(command.answer, refused=command.state == "refused"))
        self._wake.set()


def _find(store: Store, task: str | None) -> TaskRow | None:
    if task is None:
        return None
    try:
        return store.tasks.get(task)
    except UnknownTask:
        return None
