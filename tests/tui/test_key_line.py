"""The line of keys at the bottom of every screen."""

from __future__ import annotations

import pytest

from cbtui.paths import Places
from cbtui.tui.app import Options
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


def keys(shown: Screened) -> str:
    return shown.text().splitlines()[-1].rstrip()


@pytest.mark.parametrize("width", [40, 60, 80, 97, 120, 200])
async def test_no_key_is_cut_off_and_help_and_quit_are_there(places: Places, width: int) -> None:
    async with screened(places, host=False, size=(width, 24)) as shown:
        await shown.until(lambda: keys(shown).endswith("? keys q quit") or "^p palette q quit" in keys(shown), "them")
        whole = "a add ⏎ open p pause x cancel r retry d remove e edit o play space mark / filter esc clear"
        first = keys(shown).partition(" ? keys")[0]
        assert whole.startswith(first)
        assert first == whole or whole[len(first)] == " "
        assert width < 120 or first == whole


async def test_it_follows_the_terminal_s_width(places: Places) -> None:
    async with screened(places, host=False, size=(60, 24)) as shown:
        await shown.until(lambda: "? keys" in keys(shown), "the keys")
        assert "filter" not in keys(shown)
        await shown.pilot.resize_terminal(120, 24)
        await shown.until(lambda: "/ filter" in keys(shown), "more of them")
        await shown.pilot.resize_terminal(60, 24)
        await shown.until(lambda: "filter" not in keys(shown), "less of them")
        assert keys(shown).endswith("q quit")


async def test_a_longer_key_of_the_person_s_own_takes_its_room(places: Places) -> None:
    options = Options(rate=20.0, keymap={"add": "ctrl+shift+f12"})
    async with screened(places, host=False, size=(60, 24), options=options) as shown:
        await shown.until(lambda: "f12 add" in keys(shown), "the key")
        assert keys(shown).endswith("q quit")


async def test_a_filter_says_how_to_leave_it(places: Places) -> None:
    async with screened(places, host=False, size=(60, 24)) as shown:
        await shown.press("slash")
        await shown.until(lambda: "esc clear" in keys(shown), "the key")
