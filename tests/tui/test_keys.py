"""Keys: those there are, those of a person's own, and what they must not do."""

from __future__ import annotations

import pytest
from textual import events
from textual.binding import Binding
from textual.widgets import Input, TextArea

from cbtui.actions import actions, heard_together
from cbtui.paths import Places
from cbtui.tui.app import CbtuiApp, Options
from cbtui.tui.keys import clashes, described
from cbtui.tui.screens.queue import QueueScreen
from tests.support.gated_engine import GatedEngine
from tests.tui.support import Screened, screened


def options(**keymap: str) -> Options:
    return Options(rate=20.0, keymap=keymap)


def state_of(shown: Screened, task: str) -> str:
    return next(row.state for row in shown.snapshot.rows if row.id == task)


def test_no_key_does_two_things() -> None:
    assert clashes({}) == []


def test_clashes_of_a_keymap_are_named() -> None:
    assert clashes({"pause": "x", "nope": "f5", "models_load": "escape"}) == [
        "keys.nope: there is no such action",
        "the key x is asked to do several things: pause, cancel",
        "the key escape is asked to do several things: models_load, back",
    ]


def test_two_actions_may_change_places() -> None:
    assert clashes({"pause": "x", "cancel": "p"}) == []


def test_every_action_of_the_queue_exists() -> None:
    for action in actions().values():
        if any(action in together for together in list(heard_together())[:1]):
            assert hasattr(QueueScreen, f"action_{action.id}") or action.id in {"help", "command_palette", "quit"}


def test_another_screen_s_keys_are_described_once() -> None:
    bindings = [Binding("q,escape", "back", "back"), Binding("f2", "act", "act", tooltip="do it", id="x_act")]
    own, everywhere = described(bindings)
    assert own == ("This screen", [("", "q,escape", "back"), ("x_act", "f2", "do it")])
    assert [name for name, _, _ in everywhere[1]] == ["help", "command_palette"]


@pytest.mark.asyncio
async def test_a_changed_key_acts_and_the_old_one_does_not(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine, options=options(pause="f5", cancel="p")) as shown:
        for name in ("a", "b"):
            (places.jobs / f"{name}.txt").write_text("Hello.")
        await shown.until_state("jobs/b", "queued")
        await shown.press("j", "f5")
        await shown.until_state("jobs/b", "paused")
        await shown.press("x")
        await shown.press("p")
        await shown.until_state("jobs/b", "cancelled")
        engine.open()


@pytest.mark.asyncio
async def test_the_footer_shows_changed_keys(places: Places) -> None:
    async with screened(places, host=False, options=options(pause="f5")) as shown:
        await shown.until(lambda: "f5 pause" in shown.text() or "f5pause" in shown.text(), "the footer")
        assert "p pause" not in shown.text()


@pytest.mark.asyncio
async def test_clashes_are_told_at_the_start(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(CbtuiApp, "notify", lambda self, message, **facts: told.append(message))
    async with screened(places, host=False, options=options(pause="a")):
        assert told == ["the key a is asked to do several things: add, pause"]


@pytest.mark.asyncio
async def test_plain_keys_only_type_while_a_field_has_the_focus(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine, options=options(pause="z")) as shown:
        for name in ("a", "b"):
            (places.jobs / f"{name}.txt").write_text("Hello.")
        await shown.until_state("jobs/b", "queued")
        await shown.press("j", "slash")
        typed = "zxrd ?q-+,aD"
        await shown.press(*typed)
        assert shown.app.screen.query_one("#filter").value == typed  # type: ignore[attr-defined]
        assert isinstance(shown.app.screen, QueueScreen)
        await shown.press("escape")
        await shown.until(lambda: len(shown.snapshot.rows) == 2, "all tasks")
        assert state_of(shown, "jobs/b") == "queued"
        engine.open()


@pytest.mark.asyncio
async def test_plain_keys_only_type_while_a_text_has_the_focus(places: Places) -> None:
    async with screened(places, host=False, options=options(pause="z")) as shown:
        await shown.press("a")
        await shown.until(lambda: isinstance(shown.app.focused, TextArea), "the text")
        text = shown.app.focused
        typed = "zxrdq?-+,aDP"
        await shown.press(*typed)
        assert isinstance(text, TextArea)
        assert text.text == typed


@pytest.mark.asyncio
async def test_letters_typed_right_behind_the_key_are_not_lost(places: Places) -> None:
    async with screened(places, host=False) as shown:
        for key in ("slash", *"xdq"):
            shown.app.post_message(events.Key(key, "/" if key == "slash" else key))
        field = shown.app.screen.query_one("#filter", Input)
        await shown.until(lambda: field.value == "xdq", "them")


@pytest.mark.asyncio
@pytest.mark.parametrize("screen", ["question_mark", "m", "c", "l", "comma", "D"])
async def test_letters_move_on_every_screen(places: Places, screen: str) -> None:
    places.log.parent.mkdir(parents=True)
    places.log.write_text("a line\n" * 500)
    async with screened(places, host=False, size=(60, 12)) as shown:
        await shown.press(screen)
        await shown.until(lambda: shown.app.focused is not None and shown.app.screen.name is None, "the screen")
        await shown.pilot.pause(0.2)
        for key in "jkGg":
            await shown.press(key)
            await shown.pilot.pause()


@pytest.mark.asyncio
async def test_ascii_terminals_get_keys_in_ascii(places: Places) -> None:
    from cbtui.tui.words import Words

    async with screened(places, host=False, options=Options(rate=20.0, words=Words(ascii=True))) as shown:
        await shown.until(lambda: "enteropen" in shown.text().replace(" ", ""), "the footer")
        footer = shown.text().splitlines()[-1]
        assert footer.isascii()
