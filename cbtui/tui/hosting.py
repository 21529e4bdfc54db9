"""The host behind the screen: started after the first paint, in a thread, since its imports take their time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from cbtui.host.journal import WORTH_A_NOTICE, Journal, JournalEntry
from cbtui.paths import Places
from cbtui.tui.messages import HostEnded, HostStarted, HostTold

if TYPE_CHECKING:
    from cbtui.host.host import Host

MakeHost = Callable[[Journal], "Host"]


class Hosting:
    """The host of this process, or none while another process has the folder. `make` builds one; it imports much."""

    def __init__(self, places: Places, make: MakeHost, journal: Journal) -> None:
        self._places = places
        self._make = make
        self._journal = journal
        self._lock = threading.Lock()
        self.host: Host | None = None

    def start(self, post: Callable[[Message], object]) -> None:
        """Begin to host, in a thread; HostStarted tells what came of it, HostEnded when it wants to end."""
        threading.Thread(target=self._serve, args=(post,), name="cbtui-host", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            host, self.host = self.host, None
        if host is not None:
            host.stop()

    def _tell(self, entry: JournalEntry, post: Callable[[Message], object]) -> None:
        self._journal(entry)
        if entry.kind in WORTH_A_NOTICE:
            post(HostTold(entry))

    def _serve(self, post: Callable[[Message], object]) -> None:
        from cbtui.host.lock import HostRunning, find_host
        from cbtui.host.store import StoreError

        with self._lock:
            if self.host is not None:
                return
            try:
                if find_host(self._places) is not None:
                    # A viewer needs nothing of what a host imports.
                    post(HostStarted())
                    return
                host = self._make(lambda entry: self._tell(entry, post))
                host.start()
            except HostRunning:
                # It is somebody else's: this screen is a viewer, as the lock tells it.
                post(HostStarted())
                return
            except (StoreError, OSError) as error:
                post(HostStarted(trouble=str(error)))
                return
            self.host = host
        post(HostStarted())
        host.wait()
        post(HostEnded())
