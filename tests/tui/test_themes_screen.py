"""Choosing a theme by looking at it."""

from __future__ import annotations

import os

import pytest
from textual.color import Color
from textual.widgets import OptionList

from cbtui.core.status import STATES
from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.screens.themes import ThemeScreen
from cbtui.tui.themes import Choice
from tests.tui.support import Screened, screened
from tests.tui.test_themes_files import FULL, written

pytestmark = pytest.mark.asyncio


async def opened(shown: Screened) -> OptionList:
    if shown.app.size.width >= 80:
        await shown.until(lambda: "no look-ups yet" in shown.text(), "the whole screen")
    await shown.press("t")
    await shown.until(lambda: isinstance(shown.app.screen, ThemeScreen) and shown.app.screen.focused, "the themes")
    return shown.app.screen.query_one(OptionList)


async def closed(shown: Screened) -> None:
    await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")


def listed(themes: OptionList) -> list[str]:
    return [str(themes.get_option_at_index(number).prompt) for number in range(themes.option_count)]


async def test_all_themes_are_listed_the_person_s_own_last(places: Places) -> None:
    written(places.config / "themes", "aaa.yaml", FULL)
    async with screened(places, host=False) as shown:
        themes = await opened(shown)
        assert listed(themes) == ["dark", "amber", "colour-blind", "high-contrast", "light", "aaa  yours"]
        assert themes.highlighted == 0
        await shown.press("G")
        await shown.until(lambda: "themes/aaa.yaml" in shown.text(), "its file")


async def test_the_cursor_shows_a_theme_and_enter_keeps_it(places: Places) -> None:
    async with screened(places, host=False) as shown:
        await opened(shown)
        await shown.press("down", "j", "k")
        await shown.until(lambda: shown.app.theme == "amber", "amber")
        assert shown.app.screen.styles.background == Color.parse("#140d00")
        assert Choice.read(places.state / "theme.json") is None
        await shown.press("enter")
        await closed(shown)
        assert shown.app.theme == "amber"
    assert Choice.read(places.state / "theme.json") == Choice("amber", None)


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_going_back_puts_the_colours_back(places: Places, key: str) -> None:
    async with screened(places, host=False, options=Options(rate=20.0, theme="light")) as shown:
        await opened(shown)
        await shown.press("home")
        await shown.until(lambda: shown.app.theme == "dark", "dark")
        await shown.press(key)
        await closed(shown)
        assert shown.app.theme == "light"
    assert not (places.state / "theme.json").exists()


async def test_colours_whose_file_broke_meanwhile_come_back_too(places: Places) -> None:
    path = written(places.config / "themes", "mine.yaml", FULL)
    async with screened(places, host=False, options=Options(rate=20.0, theme="mine")) as shown:
        path.write_text("nonsense")
        themes = await opened(shown)
        assert "mine  yours" not in listed(themes)
        await shown.press("down")
        await shown.until(lambda: shown.app.theme != "mine", "another")
        await shown.press("escape")
        await closed(shown)
        assert shown.app.theme == "mine"
        assert shown.app.screen.styles.background == Color.parse("black")


async def test_a_theme_made_since_the_start_is_there(places: Places) -> None:
    async with screened(places, host=False) as shown:
        written(places.config / "themes", "new.yaml", FULL)
        assert "new  yours" in listed(await opened(shown))


@pytest.mark.parametrize("size", [(120, 35), (80, 24), (60, 20), (40, 10)])
async def test_the_sample_has_every_state(places: Places, size: tuple[int, int]) -> None:
    async with screened(places, host=False, size=size) as shown:
        await opened(shown)
        await shown.pilot.pause()
        text = shown.text()
        if size[1] >= 20:
            assert all(f"book/{state}" in text for state in STATES)
        assert "dark" in text
        if size[1] >= 24:
            assert "miss" in text
            assert "a GPU" in text


async def test_the_palette_and_the_help_work_there(places: Places) -> None:
    async with screened(places, host=False) as shown:
        await opened(shown)
        await shown.press("question_mark")
        await shown.until(lambda: "keep these colours" in shown.text(), "the help")


async def test_its_keys_have_names_that_a_keymap_may_give_others(places: Places) -> None:
    options = Options(rate=20.0, keymap={"themes_keep": "k", "themes_list_up": "up"})
    async with screened(places, host=False, options=options) as shown:
        await opened(shown)
        await shown.press("question_mark")
        await shown.until(lambda: "themes_keep" in shown.text(), "its name")
        assert "one theme down" in shown.text()
        await shown.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, ThemeScreen), "the themes")
        await shown.press("down", "k")
        await closed(shown)
        assert shown.app.theme == "amber"


async def test_without_colours_there_are_none(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    async with screened(places, host=False, options=Options(rate=20.0, theme="amber")) as shown:
        await opened(shown)
        await shown.pilot.pause()
        strips = shown.app.screen._compositor.render_strips()
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        painted = {each.triplet for style in styles for each in (style.color, style.bgcolor) if each and each.triplet}
        assert len(painted) > 3
        assert all(len(set(triplet)) == 1 for triplet in painted)
        for state in STATES:
            assert shown.app.options.words.glyph(state) in shown.text()
