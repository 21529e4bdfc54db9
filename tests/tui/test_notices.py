"""What is said in passing: to the terminal, of a failed task and a finished queue, and in a corner of the screen."""

from __future__ import annotations

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.widgets._toast import Toast

from cbtui.host.journal import JournalEntry
from cbtui.paths import Places
from cbtui.settings import Notify
from cbtui.tui.app import Options
from cbtui.tui.messages import HostTold
from cbtui.tui.widgets.queue_list import QueueList
from tests.tui.support import Screened, screened
from tests.tui.test_queue_keys import fill

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


def toasts(shown: Screened) -> list[Toast]:
    return list(shown.app.screen.query(Toast))


def said(shown: Screened) -> list[str]:
    return [str(toast.render()) for toast in toasts(shown)]


async def test_the_newest_notice_takes_the_place_of_the_last_of_its_kind(places: Places) -> None:
    async with screened(places, host=False) as shown:
        for number in range(3):
            shown.app.notify(f"answer {number}", markup=False)
            shown.app.notify(f"trouble {number}", markup=False, severity="warning")
        await shown.until(lambda: sorted(said(shown)) == ["answer 2", "trouble 2"], "the newest two")


async def test_moving_a_task_is_seen_and_not_told(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c")
        await shown.until(lambda: said(shown) == ["the queue is paused"], "the pause")
        await shown.press("J", "plus")
        await shown.until(lambda: shown.snapshot.rows[0].priority == 1, "the priority")
        await shown.press("x")
        await shown.until(lambda: said(shown) == ["cancelled: jobs/a"], "what was told next")


async def test_moving_a_task_is_told_where_the_order_is_another(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c")
        await shown.press("s")
        await shown.until(lambda: shown.snapshot.view.sort == "name", "by name")
        await shown.press("J")
        await shown.until(lambda: said(shown) == ["moved: jobs/a"], "the notice")


async def test_a_move_that_is_refused_is_told(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b")
        await shown.press("K")
        await shown.until(lambda: "jobs/a is first already" in said(shown), "the refusal")


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 35)])
async def test_notices_do_not_hide_the_line_under_the_cursor(places: Places, size: tuple[int, int]) -> None:
    async with screened(places, size=size) as shown:
        await fill(shown, *(f"t{number:02d}" for number in range(25)))
        for key in ("G", "g"):
            await shown.press(key)
            shown.app.notify("line\n" * 4, markup=False)
            line = shown.app.screen.query_one(QueueList)

            def is_clear(line: QueueList = line) -> bool:
                return bool(toasts(shown)) and not any(
                    toast.region.y <= line.cursor_line < toast.region.bottom for toast in toasts(shown)
                )

            await shown.until(is_clear, f"the line after {key}")


@pytest.mark.parametrize("key", ["p", "x", "r", "R", "d", "e", "o", "y", "J", "plus", "space", "V", "enter"])
async def test_a_key_that_has_no_task_to_act_on_says_so(places: Places, key: str) -> None:
    async with screened(places) as shown:
        await shown.press(key)
        await shown.until(lambda: said(shown) == ["there is no task: press a to add one"], "the notice")


async def test_where_the_filter_hides_all_the_way_back_is_said(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "one")
        await shown.press("slash", *"two", "enter")
        await shown.until(lambda: shown.snapshot.total == 0, "the filter")
        await shown.press("x")
        await shown.until(lambda: "no task fits the filter: press esc to show all" in said(shown), "the notice")


async def test_what_is_advised_is_a_key_as_the_person_has_set_it(places: Places) -> None:
    async with screened(places, options=Options(rate=20.0, keymap={"pause": "f5"})) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await shown.until_state("jobs/a", "done")
        await shown.press("r")
        await shown.until(lambda: any("For another rendering of it: R" in each for each in said(shown)), "the advice")
        await shown.press("P")
        await shown.until(lambda: shown.snapshot.paused, "the pause")
        (places.jobs / "b.txt").write_text("Hello.")
        await shown.until_state("jobs/b", "queued")
        await shown.press("g", "f5")
        await shown.until_state("jobs/b", "paused")
        await shown.press("r")
        await shown.until(lambda: any("To go on with it: f5" in each for each in said(shown)), "the other key")
