"""The screen of the log."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from cbtui.paths import Places
from cbtui.tui.screens.log import LogScreen
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.widgets.log_view import LogView
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


def write(places: Places, *lines: str) -> Path:
    places.log.parent.mkdir(parents=True, exist_ok=True)
    with places.log.open("a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
    return places.log


async def opened(shown: Screened, count: int) -> LogView:
    await shown.press("l")
    await shown.until(lambda: isinstance(shown.app.screen, LogScreen), "the log")
    view = shown.app.screen.query_one(LogView)
    await shown.until(lambda: view.count == count, "its lines")
    await shown.pilot.pause()
    return view


async def test_the_end_is_shown_and_followed(places: Places) -> None:
    write(places, *(f"line {number:04d}" for number in range(500)))
    async with screened(places, host=False, size=(60, 20)) as shown:
        await opened(shown, 500)
        await shown.until(lambda: "line 0499" in shown.text(), "the end")
        write(places, "a new line")
        await shown.until(lambda: "a new line" in shown.text() and "501 lines · follows" in shown.text(), "it")


async def test_what_is_read_stays_in_sight_while_lines_are_added(places: Places) -> None:
    write(places, *(f"line {number:04d}" for number in range(500)))
    async with screened(places, host=False) as shown:
        view = await opened(shown, 500)
        await shown.press("g")
        await shown.until(lambda: "line 0000" in shown.text(), "the beginning")
        write(places, "a new line")
        await shown.until(lambda: view.count == 501, "what was added")
        await shown.pilot.pause()
        assert "line 0000" in shown.text()
        assert "not at the end" in shown.text()
        await shown.press("G")
        await shown.until(lambda: "a new line" in shown.text() and "follows" in shown.text(), "the end")


async def test_words_are_searched_for_as_they_are(places: Places) -> None:
    write(places, *(f"line {number:04d}" + (" Hit [red].*" if number % 100 == 50 else "") for number in range(500)))
    async with screened(places, host=False) as shown:
        await opened(shown, 500)
        await shown.press("g", "slash", *"hit [RED].*", "enter")
        await shown.until(lambda: "1 of 5 found" in shown.text(), "the first")
        assert "line 0050 Hit [red].*" in shown.text()
        await shown.press("n")
        await shown.until(lambda: "2 of 5 found" in shown.text() and "line 0150" in shown.text(), "the second")
        await shown.press("N", "N")
        await shown.until(lambda: "5 of 5 found" in shown.text() and "line 0450" in shown.text(), "round the end")
        write(places, "one more hit [red].*")
        await shown.until(lambda: "5 of 6 found" in shown.text(), "what was added")


async def test_of_a_long_log_only_the_end_is_said_to_be_there(places: Places) -> None:
    write(places, *(f"line {number:06d} {'x' * 90}" for number in range(12_000)))
    async with screened(places, host=False) as shown:
        await shown.press("l")
        await shown.until(
            lambda: "the last 9" in shown.text() and "lines · follows" in shown.text(), "how much there is"
        )


async def test_escape_leaves_the_search_before_the_screen(places: Places) -> None:
    write(places, "one", "two")
    async with screened(places, host=False) as shown:
        await opened(shown, 2)
        await shown.press("slash", *"nq two", "enter")
        await shown.until(lambda: "nothing found" in shown.text(), "the answer")
        await shown.press("escape")
        assert isinstance(shown.app.screen, LogScreen)
        assert not shown.app.screen.query_one(Input).display
        await shown.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")


async def test_a_match_far_to_the_right_comes_into_sight(places: Places) -> None:
    write(places, "漢字 " * 100 + "needle" + " x" * 50)
    async with screened(places, host=False, size=(60, 20)) as shown:
        await opened(shown, 1)
        await shown.press("slash", *"needle", "enter")
        await shown.until(lambda: "needle" in shown.text().rpartition("1 of 1 found")[0], "the match")


async def test_a_missing_log_appears_when_it_is_made(places: Places) -> None:
    async with screened(places, host=False) as shown:
        await opened(shown, 0)
        await shown.until(lambda: "there is no log yet" in shown.text(), "the answer")
        write(places, "here it is")
        await shown.until(lambda: "here it is" in shown.text(), "the log")
        places.log.rename(places.log.with_name("cbtui.log.1"))
        write(places, "and goes on")
        await shown.until(lambda: "and goes on" in shown.text(), "the next log")
        assert "here it is" in shown.text()


async def test_hostile_lines_are_literal(places: Places) -> None:
    write(places, "[red]x[/]", "open [b", "\x1b[2Jcleared", "\x1b]52;c;aGk=\x07set")
    async with screened(places, host=False) as shown:
        await opened(shown, 4)
        await shown.until(lambda: "[red]x[/]" in shown.text() and "open [b" in shown.text(), "them")
        assert "\x1b" not in shown.text()


async def test_a_hundred_thousand_lines_are_kept_and_no_more(places: Places) -> None:
    async with screened(places, host=False) as shown:
        view = await opened(shown, 0)
        view.add(f"line {number}" for number in range(100_000))
        assert view.count == 100_000
        view.search("line 9")
        current, _ = view.found
        assert current > 0
        view.scroll_to(y=50_000, animate=False)
        await shown.until(lambda: "line 50010" in shown.text(), "the middle")
        view.add(["one more"])
        assert view.count == 80_000
        await shown.until(lambda: "line 50010" in shown.text(), "what was in sight")


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_keys_lead_back(places: Places, key: str) -> None:
    async with screened(places, host=False) as shown:
        await opened(shown, 0)
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
