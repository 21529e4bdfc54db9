"""The screen of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import DataTable

from cbtui.paths import Places
from cbtui.settings import load_settings
from cbtui.tui import outside
from cbtui.tui.app import Options
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.screens.settings import SettingsScreen
from cbtui.tui.screens.themes import ThemeScreen
from cbtui.tui.themes import Choice
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


def write(places: Places, text: str) -> None:
    places.config.mkdir(parents=True, exist_ok=True)
    places.user_settings.write_text(text)


async def opened(shown: Screened) -> DataTable[object]:
    await shown.press("comma")
    await shown.until(lambda: isinstance(shown.app.screen, SettingsScreen), "the settings")
    table = shown.app.screen.query_one(DataTable)
    await shown.until(lambda: table.row_count, "its lines")
    await shown.pilot.pause()
    return table


async def test_settings_with_their_values_and_places(places: Places) -> None:
    write(places, "app:\n  device: cuda\n")
    options = Options(rate=20.0, settings=load_settings(places.user_settings))
    async with screened(places, host=False, options=options) as shown:
        await opened(shown)
        await shown.press("down", "down", "down", "down")
        await shown.until(lambda: "app.device: what the model runs on" in shown.text(), "what it means")
        assert "cuda, settings.yaml:2" in shown.text()
        assert "default  auto" in shown.text()


def theme_told(shown: Screened) -> str:
    """The value of `app.theme` and where it comes from, with a blank between."""
    line = next(line for line in shown.text().splitlines() if "app.theme" in line)
    return " ".join(line.partition("app.theme")[2].strip("│▁▂▃▄▅▆▇█ ").split())


async def test_the_theme_that_was_chosen_is_in_use(places: Places) -> None:
    write(places, "app:\n  theme: amber\n")
    options = Options(rate=20.0, settings=load_settings(places.user_settings))
    async with screened(places, host=False, options=options) as shown:
        await opened(shown)
        assert theme_told(shown) == "amber settings.yaml:2"
        await shown.press("escape", "t")
        await shown.until(lambda: isinstance(shown.app.screen, ThemeScreen), "the themes")
        await shown.press("end", "enter")
        await shown.until(lambda: shown.app.theme == "light", "another")
        await opened(shown)
        assert theme_told(shown) == "light chosen in the app"


@pytest.mark.parametrize(
    ("given", "setting", "told"),
    [
        (None, None, "light chosen in the app"),
        ("amber", None, "amber command line"),
        (None, "dark", "dark settings.yaml:2"),
    ],
)
async def test_what_was_chosen_before_holds_until_another_is_asked_for(
    places: Places, given: str | None, setting: str | None, told: str
) -> None:
    places.state.mkdir(parents=True)
    Choice("light", None).write(places.state / "theme.json")
    write(places, f"app:\n  theme: {setting}\n" if setting else "")
    options = Options(rate=20.0, theme=given, settings=load_settings(places.user_settings))
    async with screened(places, host=False, options=options) as shown:
        await opened(shown)
        assert theme_told(shown) == told


async def test_a_setting_that_changed_since_is_told_beside_what_was_chosen(places: Places) -> None:
    async with screened(places, host=False) as shown:
        shown.app.colours.read_again()
        shown.app.colours.choose("light")
        write(places, "app:\n  theme: amber\n")
        await opened(shown)
        assert theme_told(shown) == "light (then amber, settings.yaml:2) chosen in the app"


async def test_everything_can_be_read_at_60_columns(places: Places) -> None:
    write(places, "speakers: {'[/bob]': {temperature: 0.9}}\nrun_label: '[red]open [b'\n")
    async with screened(places, host=False, size=(60, 20)) as shown:
        table = await opened(shown)
        seen = shown.text()
        for _ in range(table.row_count):
            await shown.press("down")
            await shown.pilot.pause()
            seen += shown.text()
        assert "[/bob], settings.yaml:1" in seen
        assert "[red]open [b, settings.yaml:2" in seen
        assert "output.paragraph_silence: seconds between two paragraphs" in seen


async def test_a_change_of_the_file_is_seen_whoever_makes_it(places: Places) -> None:
    async with screened(places, host=False) as shown:
        await opened(shown)
        write(places, "app:\n  device: mps\n")
        await shown.until(lambda: "auto (then mps, settings.yaml:2)" in shown.text(), "what comes then")
        write(places, "app:\n  devise: '[/]'\n")
        await shown.until(lambda: "unknown setting (did you mean 'device'?)" in shown.text(), "the mistake")
        write(places, "")
        await shown.until(lambda: "mistakes in the settings" not in shown.text(), "no mistake")


async def test_e_makes_the_file_and_opens_it(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    edited: list[str] = []

    def edit(app: object, path: Path) -> None:
        edited.append(path.read_text())
        path.write_text("app:\n  device: mps\n")

    monkeypatch.setattr(outside, "edit", edit)
    async with screened(places, host=False) as shown:
        await opened(shown)
        await shown.press("e")
        await shown.until(lambda: "then mps" in shown.text(), "what was written")
        await shown.press("e")
        await shown.until(lambda: len(edited) == 2, "the second time")
    assert "# device: cuda" in edited[0]
    assert edited[1] == "app:\n  device: mps\n"


async def test_a_file_that_cannot_be_made_is_told(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "edit", lambda app, path: pytest.fail("there is nothing to edit"))
    places.config.write_text("a file in the folder's place")
    async with screened(places, host=False) as shown:
        await opened(shown)
        await shown.press("e")
        await shown.until(lambda: "File exists" in shown.text() or "Not a directory" in shown.text(), "the reason")


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_keys_lead_back(places: Places, key: str) -> None:
    async with screened(places, host=False) as shown:
        await opened(shown)
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
