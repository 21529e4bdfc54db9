"""Which theme the screen is in: what was asked for last, and what its file says by now."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.color import Color
from textual.widgets._toast import Toast

from cbtui.paths import Places
from cbtui.settings import Settings, load_settings
from cbtui.tui.app import CbtuiApp, Options
from cbtui.tui.themes import DARK, Choice
from tests.tui.support import Screened, screened
from tests.tui.test_themes_files import FULL, written

pytestmark = pytest.mark.asyncio


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every notice."""
    notices: list[str] = []
    monkeypatch.setattr(CbtuiApp, "notify", lambda self, message, **facts: notices.append(message))
    return notices


@asynccontextmanager
async def opened(
    places: Places, *, given: str | None = None, setting: str | None = None, settings: Settings | None = None
) -> AsyncIterator[Screened]:
    """The app, with the command line and the settings asking for these themes, once all of it is there."""
    options = Options(rate=20.0, theme=given, settings=settings or Settings(theme=setting))
    async with screened(places, host=False, options=options) as shown:
        await shown.until(lambda: "no look-ups yet" in shown.text(), "the whole screen")
        yield shown


def own(places: Places, name: str = "mine.yaml", text: str = FULL) -> Path:
    """A theme of the person's; with a name of its own for the time being, so that its stamp is another."""
    beside = written(places.config / "themes", f".{name}", text)
    return beside.rename(places.config / "themes" / name)


def background(shown: Screened) -> Color:
    """What stands on the screen."""
    return shown.app.screen.styles.background


async def until_background(shown: Screened, colour: str) -> None:
    await shown.until(lambda: background(shown) == Color.parse(colour), colour)


async def until_looked_twice(shown: Screened) -> None:
    """Wait until every change so far would have been seen."""
    looks: list[object] = []
    look: Callable[[], object] = shown.app.colours._see
    shown.app.colours._see = lambda: (looks.append(None), look())[1]  # type: ignore[assignment, func-returns-value]
    await shown.until(lambda: len(looks) >= 4, "looks")


async def test_without_a_wish_it_is_dark(places: Places, told: list[str]) -> None:
    async with opened(places) as shown:
        await until_looked_twice(shown)
        assert shown.app.current_theme == DARK
        await until_background(shown, DARK.background or "")
    assert told == []


async def test_the_command_line_goes_before_what_was_chosen_and_that_before_the_settings(places: Places) -> None:
    Choice("light", "high-contrast").write(places.state / "theme.json")
    for given, name in (("amber", "amber"), (None, "light")):
        async with opened(places, given=given, setting="high-contrast") as shown:
            assert shown.app.theme == name


async def test_a_changed_setting_is_newer_than_what_was_chosen(places: Places) -> None:
    Choice("light", "amber").write(places.state / "theme.json")
    for setting, name in (("amber", "light"), ("high-contrast", "high-contrast"), (None, "dark")):
        async with opened(places, setting=setting) as shown:
            assert shown.app.theme == name


async def test_the_setting_is_read_from_the_file(places: Places) -> None:
    places.config.mkdir(parents=True)
    places.user_settings.write_text("app:\n  theme: light\n")
    async with opened(places, settings=load_settings(places.user_settings)) as shown:
        assert shown.app.theme == "light"
        assert not shown.app.current_theme.dark


async def test_unknown_names_are_told_and_the_next_wish_counts(places: Places, told: list[str]) -> None:
    Choice("gone", "lihgt").write(places.state / "theme.json")
    async with opened(places, given="ambre", setting="lihgt") as shown:
        assert shown.app.theme == "dark"
        await shown.until(lambda: len(told) == 3, "the notices")
    assert told[0] == "--theme: there is no theme 'ambre' (did you mean 'amber'?)"
    assert told[1].startswith("chosen before: there is no theme 'gone': there are dark, amber")
    assert told[2] == "app.theme in settings.yaml: there is no theme 'lihgt' (did you mean 'light'?)"


@pytest.mark.parametrize("kept", ["", "{", "[1]", '{"chosen": 1, "setting": null}', '{"chosen": "light"}', "[" * 9999])
async def test_a_memory_that_cannot_be_read_is_none(places: Places, kept: str, told: list[str]) -> None:
    written(places.state, "theme.json", kept)
    async with opened(places) as shown:
        assert shown.app.theme == "dark"
    assert told == []


async def test_what_is_chosen_is_remembered_with_the_setting_of_then(places: Places) -> None:
    async with opened(places, setting="amber") as shown:
        shown.app.colours.choose("light")
        await until_background(shown, "#fbfbf9")
    assert json.loads((places.state / "theme.json").read_text()) == {"chosen": "light", "setting": "amber"}
    async with opened(places, setting="amber") as shown:
        assert shown.app.theme == "light"


async def test_a_choice_that_cannot_be_kept_holds_for_now(places: Places, told: list[str]) -> None:
    async with opened(places, given="amber") as shown:
        (places.state / "theme.json").mkdir(parents=True)
        shown.app.colours.choose("light")
        assert shown.app.theme == "light"
    assert "this theme holds for this run alone" in told[0]


async def test_a_person_s_own_theme_takes_the_place_of_one_that_comes_along(places: Places) -> None:
    own(places, "dark.yaml", FULL.replace("black", "'#000044'"))
    async with opened(places) as shown:
        await until_background(shown, "#000044")


async def test_an_edit_is_shown_without_a_key(places: Places, told: list[str]) -> None:
    own(places)
    async with opened(places, given="mine") as shown:
        await until_background(shown, "black")
        for colour in ("#000044", "#003300"):
            own(places, text=FULL.replace("black", f"'{colour}'"))
            await until_background(shown, colour)
    assert told == []


async def test_a_theme_that_appears_over_the_one_in_use_is_taken(places: Places) -> None:
    async with opened(places, given="light") as shown:
        path = own(places, "light.yaml", FULL.replace("black", "'#000044'"))
        await until_background(shown, "#000044")
        path.unlink()
        await until_background(shown, "#fbfbf9")


async def test_a_broken_edit_keeps_the_colours_and_is_told_once(places: Places, told: list[str]) -> None:
    own(places)
    async with opened(places, given="mine") as shown:
        await until_background(shown, "black")
        own(places, text=FULL.replace("black", "blakc"))
        await shown.until(lambda: told, "the notice")
        await until_looked_twice(shown)
        shown.app.colours.read_again()
        assert len(told) == 1
        assert told[0].endswith("mine.yaml:2:1: background: 'blakc' is no colour (did you mean 'black'?)")
        assert background(shown) == Color.parse("black")
        own(places, text=FULL.replace("black", "blakcc"))
        await shown.until(lambda: len(told) == 2, "the next notice")
        own(places, text=FULL.replace("black", "navy"))
        await until_background(shown, "navy")
    assert len(told) == 2


async def test_the_notice_of_a_broken_file_is_literal(places: Places) -> None:
    own(places, text="'[/]': 1\n'[@click=app.quit]x[/]': 2\n")
    async with opened(places, given="light") as shown:
        # As it is shown, before it is broken into lines.
        await shown.until(
            lambda: any(
                "[@click=app.quit]x[/]: there is no such key" in toast.render().plain
                for toast in shown.app.screen.query(Toast)
            ),
            "the notice",
        )


async def test_a_theme_that_goes_leaves_its_colours(places: Places, told: list[str]) -> None:
    path = own(places)
    async with opened(places, given="mine") as shown:
        path.unlink()
        await shown.until(lambda: told, "the notice")
        await until_looked_twice(shown)
        assert background(shown) == Color.parse("black")
        own(places, text=FULL.replace("black", "navy"))
        await until_background(shown, "navy")
    assert told == ["the theme mine is gone; its colours stay until you choose others"]


async def test_broken_files_are_told_at_the_start_and_the_others_work(places: Places, told: list[str]) -> None:
    own(places, "bad.yaml", "primary: bleu\n" + "x: 1\n" * 9)
    own(places)
    async with opened(places, given="mine") as shown:
        await shown.until(lambda: told, "the notice")
        assert shown.app.theme == "mine"
    (notice,) = told
    assert "bad.yaml:1:1: primary: 'bleu' is no colour" in notice
    assert notice.endswith("more")
