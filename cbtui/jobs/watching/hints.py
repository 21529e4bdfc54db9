"""Hints of the file system, by watchfiles: where to look now. They may be missing, and they may fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

# Measured with watchfiles 1.3.0: a hint comes one to two steps after the change; idle, it costs 0.2 % of a core.
_STEP_MS = 10
_DEBOUNCE_MS = 100
_HEARTBEAT_MS = 100

_FAILURES_IN_A_ROW = 3
_SHORT_PAUSE = 0.05  # seconds
_LONG_PAUSE = 30.0

Announce = Callable[[Path, threading.Event], Iterator[Iterable[str]]]


def announce_changes(root: Path, stop: threading.Event) -> Iterator[Iterable[str]]:
    """Paths that changed, in bundles, until `stop`; an empty bundle now and then. Raises what watchfiles raises."""
    from watchfiles import watch

    for changes in watch(
        root,
        watch_filter=None,
        step=_STEP_MS,
        debounce=_DEBOUNCE_MS,
        stop_event=stop,
        rust_timeout=_HEARTBEAT_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
        force_polling=False,
        ignore_permission_denied=True,
    ):
        yield [path for _, path in changes]


class Hints:
    """A daemon thread that passes hints on to `on_paths`, starts anew when they fail, and then calls `on_lost`.

    `on_deaf` is called with the reason when hints cannot be had, and with None when they can be again.
    """

    def __init__(
        self,
        root: Path,
        *,
        on_paths: Callable[[Iterable[str]], None],
        on_lost: Callable[[], None],
        on_deaf: Callable[[str | None], None],
        announce: Announce = announce_changes,
    ) -> None:
        self._root = root
        self._on_paths = on_paths
        self._on_lost = on_lost
        self._on_deaf = on_deaf
        self._announce = announce
        self._stopped = threading.Event()
        self._round = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="cbtui-hints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """End the thread. Seconds; it usually takes one step."""
        self._stopped.set()
        self._round.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def restart(self) -> None:
        """Listen anew: the folder is another, or hints are missing."""
        self._round.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._round = threading.Event()
            if self._stopped.is_set():
                return
            if self._root.is_dir():
                self._listen()
            self._stopped.wait(_SHORT_PAUSE if self._failures < _FAILURES_IN_A_ROW else _LONG_PAUSE)

    def _listen(self) -> None:
        try:
            for number, paths in enumerate(self._announce(self._root, self._round)):
                if number == 0:
                    self._hear_again()
                self._on_paths(paths)
                if self._round.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - whatever it is, looking goes on without hints
            self._failures += 1
            if self._failures == _FAILURES_IN_A_ROW:
                self._on_deaf(f"{error or type(error).__name__}")
            self._on_lost()

    def _hear_again(self) -> None:
        if self._failures >= _FAILURES_IN_A_ROW:
            self._on_deaf(None)
        self._failures = 0
        # What changed before the watch stood was not announced.
        self._on_lost()
