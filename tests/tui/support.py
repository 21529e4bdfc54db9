"""The app under Textual's pilot, over a real store; with a real host on the fake engine, or with none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

from textual.pilot import Pilot

from cbtui.core.task import ModelName
from cbtui.engine.base import Engine
from cbtui.host.host import Host
from cbtui.host.journal import Journal
from cbtui.host.options import HostOptions
from cbtui.paths import Places
from cbtui.tui.app import CbtuiApp, Ending, Options
from cbtui.tui.hosting import Hosting, How
from cbtui.tui.snapshot import Snapshot
from tests.support.fake_engine import FakeEngine
from tests.support.fake_host import FakeEngines

DEADLINE = 20.0  # seconds


class Screened:
    """The app and its pilot; every wait is for a condition, with a deadline."""

    def __init__(self, app: CbtuiApp, pilot: Pilot[Ending]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def snapshot(self) -> Snapshot:
        return self.app.snapshot

    async def until(self, is_met: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + DEADLINE
        while not is_met():
            assert time.monotonic() < end, f"did not come: {what}; the screen is:\n{self.text()}"
            await self.pilot.pause(0.01)

    async def until_state(self, task: str, state: str) -> None:
        await self.until(
            lambda: any((row.id, row.state) == (task, state) for row in self.snapshot.rows), f"{task} {state}"
        )

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    def text(self) -> str:
        """All that is on the screen, as lines of text."""
        width, _ = self.app.size
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).ljust(width) for strip in lines)


@asynccontextmanager
async def screened(
    places: Places,
    engine: Engine | Callable[[ModelName], Engine] | None = None,
    *,
    size: tuple[int, int] = (120, 35),
    options: Options | None = None,
    host: bool = True,
    overrides: Mapping[str, str] | None = None,
    awaits_host: bool = True,
) -> AsyncIterator[Screened]:
    """The app, once the first reading is shown; `host` tells whether it hosts the folder, with these `overrides`.

    Without `awaits_host`, something is asked first.
    """
    chosen = engine or FakeEngine()
    engines = FakeEngines(places, chosen if callable(chosen) else lambda model: cast("Engine", chosen))

    def make(journal: Journal, how: How) -> Host:
        return Host(
            engines, options=HostOptions(), overrides=how.overrides, kept=how.kept, journal=journal, screen=True
        )

    hosting = Hosting(places, make, lambda entry: None, overrides)
    places.jobs.mkdir(parents=True, exist_ok=True)
    app = CbtuiApp(places, hosting, options or Options(rate=20.0))
    if not host:
        hosting.start = lambda post: None  # type: ignore[method-assign]
        app.is_starting = False
    async with app.run_test(size=size, notifications=True) as pilot:
        shown = Screened(app, pilot)
        if host and awaits_host:
            await shown.until(lambda: app.snapshot.holder is not None, "the host")
        yield shown
        # A reading that comes while the widgets are being taken down would look for them.
        app.feed.stop()
        app.exit()
    await asyncio.to_thread(hosting.stop)
