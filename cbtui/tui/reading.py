"""From the store to a snapshot. Imported by the feed's thread, since SQLite would hold up the first paint."""

from __future__ import annotations

from collections.abc import Mapping

from cbtui.core.queue import TaskRow
from cbtui.host.attaching import ask_host, open_queue
from cbtui.host.estimates import Pace, seconds_left
from cbtui.host.live import LiveFile
from cbtui.host.lock import find_host
from cbtui.host.store import Store, StoreError, UnknownTask
from cbtui.paths import Places
from cbtui.tui.messages import HostAnswered
from cbtui.tui.snapshot import Snapshot, View


def read_snapshot(store: Store, places: Places, view: View, look_ups: int, opened: str | None = None) -> Snapshot:
    """All that the screen wants to know now, with so many of the newest look-ups. Raises StoreError and OSError."""
    pace = Pace.of(store.work.speeds())
    holder = find_host(places)
    sought = _find(store, view.find)
    return Snapshot(
        view=view,
        total=store.queue.count(view.only),
        rows=store.queue.window(limit=view.height, offset=view.top, only=view.only, by=view.sort),
        focus=_find(store, view.focus),
        opened=opened,
        opened_row=_find(store, opened),
        found=None if sought is None else store.queue.place(sought, only=view.only, by=view.sort),
        is_sought_there=sought is not None,
        counts=store.queue.counts(),
        paused=store.meta.paused,
        seconds_left=seconds_left(store, pace),
        pace=pace,
        holder=holder,
        live=LiveFile.of(places).read() if holder else {},
        cache_events=store.cache_events.newest(look_ups),
        cache_sums=store.cache_events.sums(),
    )


def snapshot_without_store(places: Places, view: View, *, trouble: str = "") -> Snapshot:
    """What there is to know before any host has served the folder. Raises OSError."""
    return Snapshot(view=view, holder=find_host(places), trouble=trouble)


def ask(places: Places, verb: str, arguments: Mapping[str, object]) -> HostAnswered:
    """Ask the host, and wait for what it answers."""
    try:
        store = open_queue(places, make=True)
        assert store is not None
        with store:
            command = ask_host(store, places, verb, arguments)
    except (StoreError, OSError) as error:
        return HostAnswered(verb, f"{verb}: {error}", refused=True)
    if command is None:
        return HostAnswered(verb, f"{verb}: no host answers; it waits for the next one", refused=True)
    return HostAnswered(verb, command.answer, refused=command.state == "refused")


def _find(store: Store, task: str | None) -> TaskRow | None:
    if task is None:
        return None
    try:
        return store.tasks.get(task)
    except UnknownTask:
        return None
