"""Makes the README's pictures: `python -m tests.support.screenshots docs`. The real app over a real queue of drafts.

A picture for each theme, and one of the narrow layout. Nothing is drawn that the app did not show.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from cbtui.host.host import Host
from cbtui.host.journal import Journal
from cbtui.host.options import HostOptions
from cbtui.host.rendering.engines import Engines
from cbtui.paths import Places
from cbtui.tui.app import CbtuiApp, Options
from cbtui.tui.hosting import Hosting, How
from tests.support.fake_host import places_in

_EXAMPLES = Path(__file__).resolve().parents[2] / "jobs"
_DEADLINE = 120.0
_LONG = "\n\n".join(f"Paragraph {number} of a long chapter, which says a few words." for number in range(1500))
_WIDE, _NARROW = (120, 34), (60, 22)


def fill(jobs: Path) -> None:
    """A queue as people have it: some done, one under way, some that wait, one with a mistake."""
    shutil.copytree(_EXAMPLES, jobs, dirs_exist_ok=True)
    book = jobs / "book"
    book.mkdir()
    for number in range(1, 13):
        text = f"Chapter {number}.\n\n" + "It was a quiet evening in the harbour. " * (8 * number)
        (book / f"chapter-{number:02}.txt").write_text(
            text if number < 6 else f"Chapter {number}.\n\n{_LONG}".replace("Paragraph", f"Part {number},")
        )
    (jobs / "podcast").mkdir()
    (jobs / "podcast" / "intro.yaml").write_text("text: Welcome back.\nspeakers:\n  alice: {exageration: 0.7}\n")
    (jobs / "podcast" / "urgent.yaml").write_text(f"priority: 5\ntext: |\n  {_LONG[:400]}\n".replace("\n\n", "\n\n  "))


async def picture(folder: Path, places: Places, theme: str, name: str, size: tuple[int, int]) -> None:
    def make(journal: Journal, how: How) -> Host:
        return Host(Engines(places), options=HostOptions(), overrides=how.overrides, journal=journal, screen=True)

    hosting = Hosting(places, make, lambda entry: None, {"engine": "espeak"})
    app = CbtuiApp(places, hosting, Options(theme=theme))
    async with app.run_test(size=size) as pilot:
        end = time.monotonic() + _DEADLINE
        while app.snapshot.counts.get("done", 0) < 7 or not app.snapshot.counts.get("rendering"):
            if time.monotonic() > end:
                raise TimeoutError(f"the queue did not get there: {app.snapshot.counts}")
            await pilot.pause(0.1)
        await pilot.pause(3.0)
        app.save_screenshot(f"{name}.svg", str(folder))
    app.feed.stop()
    await asyncio.to_thread(hosting.stop)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    # A name that says nothing of the machine: it stands in the pictures.
    home = Path(tempfile.gettempdir()) / "audiobooks"
    shutil.rmtree(home, ignore_errors=True)
    try:
        places = places_in(home)
        fill(places.jobs)
        for theme in ("dark", "light", "high-contrast", "colour-blind", "amber"):
            asyncio.run(picture(folder, places, theme, theme, _WIDE))
        asyncio.run(picture(folder, places, "dark", "narrow", _NARROW))
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
