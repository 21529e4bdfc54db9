"""The palette: every action by its words, every task by its name, all of it literal."""

from __future__ import annotations

import pytest
from textual.command import CommandList

from cbtui.core.queue import FoundTask
from cbtui.core.stamp import Stamp
from cbtui.host.store import Filter, Store, open_store, store_path
from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.palette import Palette
from cbtui.tui.screens.help import HelpScreen
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.screens.task import TaskScreen
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio

HOSTILE = ("[red]a", "[/]", "open [b", "[@click=app.quit]x[/]", "100%_\\", "漢字 é")


def store_of(places: Places, *names: str) -> Store:
    store = open_store(store_path(places)).store
    stamp = Stamp(1, 2, 3, 4)
    store.files.put(
        [FoundTask(f"book/{name}", places.jobs / f"{number}.txt", stamp, "d") for number, name in enumerate(names)]
    )
    return store


def current(shown: Screened) -> str | None:
    screen = shown.app.screen
    assert isinstance(screen, QueueScreen)
    return screen.queue.current.id if screen.queue.current else None


async def look_for(shown: Screened, typed: str) -> list[str]:
    """What the palette offers once it has settled, a text for each."""
    if not isinstance(shown.app.screen, Palette):
        await shown.press("ctrl+p")
        await shown.until(lambda: isinstance(shown.app.screen, Palette), "the palette")
    await shown.press(*typed)
    await shown.pilot.app.workers.wait_for_complete()
    await shown.pilot.pause(0.1)
    found = shown.app.screen.query_one(CommandList)
    return [str(found.get_option_at_index(number).prompt) for number in range(found.option_count)]


async def test_every_action_is_there_with_its_key(places: Places) -> None:
    async with screened(places, host=False, options=Options(rate=20.0, keymap={"pause": "f5"})) as shown:
        offered = await look_for(shown, "")
        assert "pause\npause the marked or current tasks, or let them go on (f5)" in offered
        assert any(each.startswith("doctor\n") for each in offered)
        assert any(each.startswith("quit\n") for each in offered)
        assert len([each for each in offered if each.startswith("pause\n")]) == 1


async def test_an_action_is_run_by_its_words(places: Places) -> None:
    async with screened(places, host=False) as shown:
        assert (await look_for(shown, "keys"))[0].startswith("keys\n")
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, HelpScreen), "help")


async def test_actions_are_found_by_what_they_do(places: Places) -> None:
    async with screened(places, host=False) as shown:
        assert any(each.startswith("take") or "host this folder" in each for each in await look_for(shown, "nobody"))


async def test_hostile_names_are_literal(places: Places) -> None:
    with store_of(places, *HOSTILE):
        async with screened(places, host=False) as shown:
            offered = await look_for(shown, "book/")
            assert sorted(offered) == sorted(f"book/{name}\nopen this task (queued)" for name in HOSTILE)
            await shown.press("escape")
            for typed, found in (("[/]", 2), ("%_", 1), ("\\", 1), ("[", 4), ("zz%", 0)):
                offered = await look_for(shown, typed)
                assert len([each for each in offered if each.startswith("book/")]) == found, typed
                await shown.press("escape")


async def test_only_some_of_many_tasks_are_offered(places: Places) -> None:
    with store_of(places, *(f"chapter-{number:03d}" for number in range(300))):
        async with screened(places, host=False) as shown:
            offered = await look_for(shown, "chapter")
            assert [each for each in offered if each.startswith("book/")] == [
                f"book/chapter-{number:03d}\nopen this task (queued)" for number in range(20)
            ]


async def test_a_chosen_task_is_opened_and_gets_the_cursor_in_the_queue_as_it_was(places: Places) -> None:
    with store_of(places, *(f"chapter-{number:03d}" for number in range(300))) as store:
        for number in range(0, 300, 2):
            store.tasks.transition(f"book/chapter-{number:03d}", "cancelled")
        async with screened(places, host=False) as shown:
            await shown.until(lambda: shown.snapshot.total == 300, "the queue")
            await shown.press("s", "slash", *"state:queued", "enter")
            await shown.until(lambda: shown.snapshot.total == 150, "the filter")
            await shown.press("question_mark")
            await look_for(shown, "book/chapter-271")
            await shown.press("enter")
            await shown.until(lambda: isinstance(shown.app.screen, TaskScreen), "the task")
            await shown.until(lambda: "book/chapter-271" in shown.text(), "its name")
            await shown.press("escape")
            await shown.until(lambda: current(shown) == "book/chapter-271", "the cursor")
            assert shown.snapshot.total == 150


async def test_a_chosen_task_that_the_filter_hides_is_opened_and_moves_nothing(places: Places) -> None:
    with store_of(places, "one", "two", "three"):
        async with screened(places, host=False) as shown:
            await shown.until(lambda: shown.snapshot.total == 3, "the queue")
            await shown.press("slash", *"two", "enter")
            await shown.until(lambda: shown.snapshot.total == 1, "the filter")
            await look_for(shown, "book/three")
            await shown.press("enter")
            await shown.until(lambda: isinstance(shown.app.screen, TaskScreen), "the task")
            await shown.press("escape")
            await shown.until(lambda: shown.snapshot.view.find == "book/three", "the look for it")
            assert current(shown) == "book/two"


async def test_without_a_queue_there_are_only_actions(places: Places) -> None:
    async with screened(places, host=False) as shown:
        assert await look_for(shown, "zzzz") in ([], ["No matches found"])
        assert not store_path(places).exists()


async def test_a_task_that_has_gone_moves_nothing(places: Places) -> None:
    with store_of(places, "a", "b") as store:
        async with screened(places, host=False) as shown:
            await shown.until(lambda: shown.snapshot.total == 2, "the queue")
            screen = shown.app.screen
            assert isinstance(screen, QueueScreen)
            await shown.press("j")
            screen.go_to("book/nobody")
            await shown.until(lambda: shown.snapshot.view.find is None, "the answer")
            assert screen.queue.cursor == 1
        assert store.queue.count(Filter()) == 2
