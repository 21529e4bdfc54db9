"""Reaching the queue from another process than its host: reading it, and asking the host for something."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cbtui.paths import Places

if TYPE_CHECKING:
    from cbtui.host.store import Command, Store

# A host that starts brings the queue up to date first.
_PATIENCE_SECONDS = 5.0
_GLANCE_SECONDS = 0.05


def open_queue(places: Places, *, make: bool = False) -> Store | None:
    """The queue of this jobs directory; None where there is none yet, unless it is to be made.

    Raises StoreError, and OSError where the host's lock may not be looked at.
    """
    from cbtui.host.lock import find_host
    from cbtui.host.store import StoreUnreadable, attach_store, open_store, store_path

    path = store_path(places)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        if not path.exists() and not make:
            return None
        if find_host(places) is None:
            return open_store(path).store
        try:
            return attach_store(path)
        except StoreUnreadable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_GLANCE_SECONDS)


def ask_host(store: Store, places: Places, verb: str, arguments: Mapping[str, object]) -> Command | None:
    """The answered command; None where no host is there to answer it, or none has for a while: then it waits."""
    from cbtui.host.lock import find_host

    number = store.commands.post(verb, arguments)
    patience = None if verb in {"load", "unload"} else time.monotonic() + _PATIENCE_SECONDS
    while find_host(places) is not None and (patience is None or time.monotonic() < patience):
        command = store.commands.wait(number, seconds=0.5)
        if command is not None:
            return command
    command = store.commands.get(number)
    return command if command is not None and command.state != "waiting" else None
