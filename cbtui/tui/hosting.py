"""The host behind the screen: started after the first paint, in a thread, since its imports take their time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from cbtui.host.journal import WORTH_A_NOTICE, Journal, JournalEntry
from cbtui.paths import Places
from cbtui.tui.messages import HostEnded, HostStarted, HostTold, OptionsFoundChanged

if TYPE_CHECKING:
    from cbtui.host.changed_options import ChangedOptions
    from cbtui.host.host import Host


@dataclass(frozen=True, slots=True)
class How:
    """Settings of the command line for all tasks, and those with which the last host made what is to be kept."""

    overrides: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] | None = None


MakeHost = Callable[[Journal, How], "Host"]


class Hosting:
    """The host of this process, or none while another process has the folder. `make` builds one; it imports much.

    `overrides` are the settings of the command line.
    """

    def __init__(
        self, places: Places, make: MakeHost, journal: Journal, overrides: Mapping[str, str] | None = None
    ) -> None:
        self._places = places
        self._make = make
        self._journal = journal
        self._lock = threading.Lock()
        self.overrides = overrides or {}
        self.host: Host | None = None

    def start(self, post: Callable[[Message], object], *, how: How | None = None, taking_over: bool = False) -> None:
        """Begin to host, in a thread; HostStarted tells what came of it, HostEnded when it wants to end.

        Where the last host had other options, OptionsFoundChanged comes instead, unless the person has said `how`:
        about finished work, and for one who is `taking_over` about what waits as well.
        """
        threading.Thread(target=self._serve, args=(post, how, taking_over), name="cbtui-host", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            host, self.host = self.host, None
        if host is not None:
            host.stop()

    def _tell(self, entry: JournalEntry, post: Callable[[Message], object]) -> None:
        self._journal(entry)
        if entry.kind in WORTH_A_NOTICE:
            post(HostTold(entry))

    def _changed(self, *, taking_over: bool) -> ChangedOptions | None:
        """What the person wants to be asked about."""
        from cbtui.host.changed_options import find_changed_options
        from cbtui.host.store import StoreError, attach_store, store_path

        try:
            with attach_store(store_path(self._places)) as store:
                changed = find_changed_options(store, self.overrides)
        except (StoreError, OSError):
            # The host itself will say what is wrong with it.
            return None
        if changed is not None and (changed.finished or (taking_over and changed.queued)):
            return changed
        return None

    def _serve(self, post: Callable[[Message], object], how: How | None, taking_over: bool) -> None:
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
                if how is None and (changed := self._changed(taking_over=taking_over)):
                    post(OptionsFoundChanged(changed))
                    return
                how = how or How(self.overrides)
                host = self._make(lambda entry: self._tell(entry, post), how)
                host.start()
            except HostRunning:
                # It is somebody else's: this screen is a viewer, as the lock tells it.
                post(HostStarted())
                return
            except (StoreError, OSError) as error:
                post(HostStarted(trouble=str(error)))
                return
            self.overrides = how.overrides
            self.host = host
        post(HostStarted())
        host.wait()
        post(HostEnded())
