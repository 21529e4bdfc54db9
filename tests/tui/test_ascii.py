"""A terminal that has nothing but ASCII: what is drawn around the text is ASCII too."""

from __future__ import annotations

import pytest
from textual.widgets import Select

from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.drawing import AsciiDrawing
from cbtui.tui.words import Words
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio

ASCII = Options(Words(ascii=True), rate=20.0)


def odd(shown: Screened) -> str:
    return "".join(sorted({letter for letter in shown.text() if not letter.isascii()}))


@pytest.mark.parametrize("size", [(60, 14), (120, 35)])
@pytest.mark.parametrize("key", ["none", "question_mark", "m", "c", "l", "t", "comma", "a", "ctrl+p", "s"])
async def test_every_screen_is_ascii(places: Places, key: str, size: tuple[int, int]) -> None:
    places.log.parent.mkdir(parents=True)
    places.log.write_text("a line that is longer than the screen is wide, and goes on for a while\n" * 300)
    async with screened(places, host=False, size=size, options=ASCII) as shown:
        if key != "none":
            await shown.press(key)
        await shown.pilot.pause(0.3)
        assert odd(shown) == ""


async def test_the_arrows_of_a_choice_are_ascii(places: Places) -> None:
    async with screened(places, host=False, size=(120, 35), options=ASCII) as shown:
        await shown.press("a")
        await shown.until(lambda: shown.app.screen.query(Select), "the form")
        assert odd(shown) == ""
        shown.app.screen.query(Select).first().action_show_overlay()
        await shown.until(lambda: "multilingual" in shown.text(), "what there is to choose")
        assert odd(shown) == ""


async def test_a_question_and_a_notice_are_ascii(places: Places) -> None:
    (places.jobs).mkdir()
    (places.jobs / "a.txt").write_text("Hello.")
    async with screened(places, size=(80, 24), options=ASCII) as shown:
        await shown.until_state("jobs/a", "done")
        await shown.press("d")
        await shown.until(lambda: "Remove" in shown.text(), "the question")
        shown.app.notify("a notice", title="of something")
        await shown.until(lambda: "a notice" in shown.text(), "the notice")
        assert odd(shown) == ""


async def test_letters_of_other_alphabets_stay(places: Places) -> None:
    (places.jobs).mkdir()
    (places.jobs / "Übung 漢字.txt").write_text("Hello.")
    async with screened(places, size=(80, 24), options=ASCII) as shown:
        await shown.until(lambda: "Übung 漢字" in shown.text(), "the task")


async def test_drawings_keep_their_width() -> None:
    from rich.cells import cell_len
    from rich.segment import Segment
    from textual.color import Color

    drawn = "".join(map(chr, range(0x2500, 0x25A0))) + "▲▼●"
    (segment,) = AsciiDrawing().apply([Segment(drawn)], Color.parse("black"))
    assert segment.text.isascii()
    assert cell_len(segment.text) == cell_len(drawn)
