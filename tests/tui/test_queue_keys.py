"""Every key of the queue's screen."""

from __future__ import annotations

import os

import pytest

from cbtui.paths import Places
from cbtui.tui.screens.confirm import Choice
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.widgets.queue_list import QueueList
from tests.support.gated_engine import GatedEngine
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


async def fill(shown: Screened, *names: str) -> None:
    """Tasks that wait, in this order, in a queue that is halted."""
    await shown.press("P")
    await shown.until(lambda: shown.snapshot.paused, "the pause")
    for name in names:
        path = shown.app.places.jobs / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Hello {name}.")
        await shown.until_state(f"jobs/{name}" if "/" not in name else name, "queued")


def order(shown: Screened) -> str:
    return " ".join(row.id.rpartition("/")[2] for row in shown.snapshot.rows)


def queue(shown: Screened) -> QueueList:
    return shown.app.screen.query_one(QueueList)


async def test_keys_move_the_cursor_and_the_detail_follows(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c")
        for keys, name in (("j", "b"), ("j", "c"), ("j", "c"), ("k", "b"), ("G", "c"), ("g", "a"), ("down", "b")):
            await shown.press(keys)
            await shown.until(
                lambda name=name: shown.snapshot.focus and shown.snapshot.focus.id == f"jobs/{name}", name
            )


async def test_capitals_move_the_task(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c")
        await shown.press("J")
        await shown.until(lambda: order(shown) == "b a c", "one down")
        assert queue(shown).current.id == "jobs/a"
        await shown.press("J")
        await shown.until(lambda: order(shown) == "b c a", "two down")
        await shown.press("K")
        await shown.until(lambda: order(shown) == "b a c", "one up")


async def test_marked_tasks_move_together_and_keep_their_order(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c", "d")
        await shown.press("j", "space", "space")
        assert queue(shown).chosen == ["jobs/b", "jobs/c"]
        await shown.press("K")
        await shown.until(lambda: order(shown) == "b c a d", "both up")


async def test_a_range_is_marked_from_the_last_mark(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c", "d")
        await shown.press("space", "j", "V")
        assert queue(shown).chosen == ["jobs/a", "jobs/b", "jobs/c"]
        await shown.press("escape")
        assert queue(shown).chosen == ["jobs/c"]


async def test_plus_and_minus_change_the_priority(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b")
        await shown.press("j", "plus")
        await shown.until(lambda: order(shown) == "b a", "b first")
        assert shown.snapshot.rows[0].priority == 1
        await shown.press("minus")
        await shown.until(lambda: shown.snapshot.rows[0].priority == 0, "0 again")


async def test_a_filter_shows_what_fits_and_escape_shows_all(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "apple", "pear", "book/apricot")
        await shown.press("slash", *"ap", "enter")
        await shown.until(lambda: sorted(order(shown).split()) == ["apple", "apricot"], "two fit")
        assert "2 fit" in shown.text()
        await shown.press("slash", *" job:book", "enter")
        await shown.until(lambda: order(shown) == "apricot", "one fits")
        await shown.press("escape")
        await shown.until(lambda: shown.snapshot.total == 3, "all")


async def test_keys_typed_into_the_filter_do_nothing_else(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a")
        await shown.press("slash", *"xdpq")
        assert shown.app.screen.query_one("#filter").value == "xdpq"
        assert isinstance(shown.app.screen, QueueScreen)
        await shown.press("escape")
        await shown.until(lambda: order(shown) == "a", "nothing happened")
        assert shown.snapshot.rows[0].state == "queued"


async def test_s_sorts(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "b", "a")
        await shown.press("s")
        await shown.until(lambda: order(shown) == "a b", "by name")
        assert "by name" in shown.text()


def current(shown: Screened) -> str:
    row = queue(shown).current
    return row.id.rpartition("/")[2] if row else ""


async def test_the_cursor_stays_with_its_task_whatever_the_sort(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "b", "d", "a", "c")
        await shown.press("j", "s")
        await shown.until(lambda: order(shown) == "a b c d", "by name")
        await shown.until(lambda: current(shown) == "d", "the cursor at the end")
        await shown.press("s", "s", "s")
        await shown.until(lambda: order(shown) == "b d a c", "by queue")
        await shown.until(lambda: current(shown) == "d", "the cursor in the middle")


async def test_the_cursor_comes_back_to_its_task_after_a_filter(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "one", "two", "three")
        await shown.press("j", "slash", *"three", "enter")
        await shown.until(lambda: order(shown) == "three", "the filter")
        await shown.press("escape")
        await shown.until(lambda: shown.snapshot.total == 3 and current(shown) == "two", "the cursor")


async def test_a_step_among_filtered_tasks_is_where_the_cursor_stays(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "one", "two", "three")
        await shown.press("slash", *"t", "enter")
        await shown.until(lambda: order(shown) == "two three", "the filter")
        await shown.press("j", "escape")
        await shown.until(lambda: shown.snapshot.total == 3 and current(shown) == "three", "the cursor")


async def test_d_asks_before_it_removes(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b")
        await shown.press("d")
        assert isinstance(shown.app.screen, Choice)
        await shown.press("escape")
        assert shown.snapshot.total == 2
        await shown.press("d", "y")
        await shown.until(lambda: order(shown) == "b", "a is gone")


async def test_what_is_done_is_rendered_anew_by_the_capital_alone(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await shown.until_state("jobs/a", "done")
        await shown.press("r")
        await shown.until(lambda: "nothing was" in shown.text(), "a refusal")
        await shown.press("R")
        await shown.until(lambda: len(list(places.output.glob("jobs/a/*/a.wav"))) == 2, "a second run")


async def test_q_leaves_at_once_when_nothing_is_under_way(places: Places) -> None:
    async with screened(places) as shown:
        await shown.press("q")
        await shown.until(lambda: shown.app.return_value is not None, "the end")
        assert shown.app.return_value.how == "quit"


@pytest.mark.parametrize(("key", "how"), [("s", "quit"), ("h", "headless")])
async def test_q_asks_when_work_is_under_way(places: Places, key: str, how: str) -> None:
    engine = GatedEngine()
    async with screened(places, engine) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await shown.until_state("jobs/a", "rendering")
        await shown.press("q")
        assert isinstance(shown.app.screen, Choice)
        await shown.press("escape")
        assert isinstance(shown.app.screen, QueueScreen)
        await shown.press("q", key)
        await shown.until(lambda: shown.app.return_value is not None, "the end")
        assert shown.app.return_value.how == how


async def test_h_hosts_a_folder_without_a_host(places: Places) -> None:
    async with screened(places, host=False) as shown:
        await shown.until(lambda: "press h to host" in shown.text(), "the hint")
        del shown.app._hosting.start
        await shown.press("h")
        await shown.until(lambda: shown.snapshot.holder and shown.snapshot.holder.pid == os.getpid(), "the host")


async def test_a_click_moves_the_cursor(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c")
        await shown.pilot.click(QueueList, offset=(10, 3))
        assert queue(shown).current.id == "jobs/c"
        await shown.pilot.click(QueueList, offset=(10, 0))
        assert queue(shown).current.id == "jobs/c", "a heading is no task"


async def test_a_hundred_thousand_tasks_scroll_like_ten(places: Places) -> None:
    from cbtui.core.queue import FoundTask
    from cbtui.core.stamp import Stamp
    from cbtui.host.store import open_store, store_path

    with open_store(store_path(places)).store as store:
        store.files.put(
            FoundTask(f"book/{number:06}", places.jobs / f"{number}.txt", Stamp(1, number, 1, 1), "d")
            for number in range(100_000)
        )
    async with screened(places, host=False) as shown:
        await shown.until(lambda: shown.snapshot.total == 100_000 and "book/000000" in shown.text(), "the queue")
        await shown.press("G")
        await shown.until(lambda: "book/099999" in shown.text(), "the last")
        await shown.press("pageup", "pageup")
        await shown.until(lambda: "book/099940" in shown.text(), "two pages up")
        await shown.press("g")
        await shown.until(lambda: "book/000000" in shown.text(), "the first")


@pytest.mark.parametrize(("size", "says"), [((38, 20), "needs 40 columns"), ((100, 8), "and 10 lines")])
async def test_too_small_a_screen_says_what_it_needs(places: Places, size: tuple[int, int], says: str) -> None:
    async with screened(places, size=size) as shown:
        await shown.until(lambda: says in shown.text(), says)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
async def test_lines_are_as_wide_as_the_screen(places: Places, width: int) -> None:
    async with screened(places, size=(width, 30)) as shown:
        await fill(shown, "漢字" * 30, "é" * 20, "a" * 150)
        await shown.until(lambda: "…" in shown.text(), "what is too long is cut")
        lines = shown.app.screen._compositor.render_strips()
        assert {line.cell_length for line in lines} == {width}


async def test_pausing_marked_tasks_twice_lets_them_go_on_whatever_the_cursor_is_on(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a", "b", "c")
        await shown.press("space", "space", "p")
        for name in ("a", "b"):
            await shown.until_state(f"jobs/{name}", "paused")
        await shown.press("p")
        for name in ("a", "b"):
            await shown.until_state(f"jobs/{name}", "queued")


async def test_a_state_that_there_is_not_fits_nothing_and_the_detail_says_how_to_go_back(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a")
        await shown.press("slash", *"state:fialed", "enter")
        await shown.until(lambda: shown.snapshot.total == 0, "nothing fits")
        await shown.until(lambda: "Nothing fits the filter" in shown.text(), "the way back")
