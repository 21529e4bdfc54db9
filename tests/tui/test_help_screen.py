"""All keys of a screen."""

from __future__ import annotations

import pytest

from cbtui.core.status import STATES
from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.screens.help import HelpScreen
from cbtui.tui.screens.queue import QueueScreen
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


async def read_all(shown: Screened) -> str:
    """Everything on the screen, scrolled through to its end."""
    seen: list[str] = []
    await shown.press("home")
    await shown.pilot.pause()
    while not seen or seen[-1] != shown.text():
        seen.append(shown.text())
        await shown.press("pagedown")
        await shown.pilot.pause(0.3)
    return "\n".join(seen)


async def test_every_key_state_and_figure_can_be_read_at_60_columns(places: Places) -> None:
    async with screened(places, host=False, size=(60, 20)) as shown:
        await shown.press("question_mark")
        text = await read_all(shown)
        for words in ("pause the marked or current tasks", "one page down", "leave; asks when work is under way"):
            assert words in text
        for state in STATES:
            assert state in text
            assert shown.app.options.words.glyph(state) in text
        for figure in ("7/16", "tokens", "3m20 at 2x", "left"):
            assert figure in text


async def test_a_person_s_own_keys_are_shown(places: Places) -> None:
    async with screened(places, host=False, options=Options(rate=20.0, keymap={"pause": "f5,ctrl+b"})) as shown:
        await shown.press("question_mark")
        await shown.until(lambda: "f5  ^b" in shown.text(), "the keys")


async def test_wide_screens_name_the_actions(places: Places) -> None:
    async with screened(places, host=False, size=(120, 35)) as shown:
        await shown.press("question_mark")
        await shown.until(lambda: "retry_fresh" in shown.text(), "the names")
        await shown.pilot.resize_terminal(80, 24)
        await shown.until(lambda: "retry_fresh" not in shown.text(), "no room for names")


@pytest.mark.parametrize("key", ["escape", "q", "question_mark"])
async def test_keys_lead_back(places: Places, key: str) -> None:
    async with screened(places, host=False) as shown:
        await shown.press("question_mark")
        await shown.until(lambda: isinstance(shown.app.screen, HelpScreen), "help")
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
