"""What the terminal is told of, beside the screen: a task that failed, a queue that is finished."""

from __future__ import annotations

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from cbtui.host.journal import JournalEntry
from cbtui.paths import Places
from cbtui.settings import Notify
from cbtui.tui.app import Options
from cbtui.tui.messages import HostTold
from tests.tui.support import screened

pytestmark = pytest.mark.asyncio


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the driver is given to write, but for the shape of the mouse's pointer."""
    written: list[str] = []

    def write(driver: HeadlessDriver, data: str) -> None:
        if not data.startswith("\x1b]22;"):
            written.append(data)

    monkeypatch.setattr(HeadlessDriver, "write", write)
    return written


@pytest.mark.parametrize(
    ("notify", "told"), [("osc9", ["\x1b]9;cbtui: nothing is left to render\a"]), ("bell", ["\a"]), ("off", [])]
)
async def test_a_queue_that_is_finished(places: Places, sent: list[str], notify: Notify, told: list[str]) -> None:
    async with screened(places, options=Options(rate=20.0, notify=notify)) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await shown.until_state("jobs/a", "done")
        await shown.until(lambda: len(sent) >= len(told), "the notice")
        await shown.pilot.pause()
        assert sent == told


async def test_nothing_of_a_name_steers_the_terminal(places: Places, sent: list[str]) -> None:
    async with screened(places, host=False, options=Options(rate=20.0, notify="osc9")) as shown:
        entry = JournalEntry("failed", "no seed helped", task="book/\x1b]52;c;eA==\x07\x9c\u202eone", level="error")
        shown.app.post_message(HostTold(entry))
        await shown.until(lambda: sent, "the notice")
        assert sent == ["\x1b]9;cbtui: book/�]52;c;eA==���one failed\a"]
