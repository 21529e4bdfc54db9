"""Typing and pasting a text, by keys alone, over a real host."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Static, TextArea

from cbtui.paths import Places
from cbtui.tui.screens.add import AddScreen
from cbtui.tui.screens.confirm import Choice
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.widgets.field import Field
from cbtui.tui.widgets.text_box import TextBox
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio

PLACEHOLDER = "Type or paste what is to be spoken."
HOSTILE = "[/] [laugh] [@click=app.quit]x[/]\n\x1b]52;c;eA==\x07\u202e שלום 👩‍👩‍👧 \x00e\u0301\r\nend"
CLEANED = "[/] [laugh] [@click=app.quit]x[/]\n]52;c;eA== שלום 👩‍👩‍👧 e\u0301\nend"


def field(shown: Screened, name: str) -> Field:
    return shown.app.screen.query_one(f"#field-{name}", Field)


def box(shown: Screened) -> TextBox:
    return shown.app.screen.query_one(TextBox)


def preview(shown: Screened) -> str:
    return str(shown.app.screen.query_one("#preview Static", Static).content)


def problem(shown: Screened, name: str) -> str:
    widget = box(shown) if name == "text" else field(shown, name)
    return str(widget.query_one(".problem", Static).content) if widget.has_class("-faulty") else ""


async def begin(shown: Screened, text: str = "") -> None:
    await shown.press("a")
    assert isinstance(shown.app.screen, AddScreen)
    await paste(shown, text)


async def paste(shown: Screened, text: str) -> None:
    if text:
        shown.app.post_message(events.Paste(text))
        await shown.until(lambda: not box(shown).is_blank, "the text")


async def go_to(shown: Screened, name: str) -> None:
    """With the tab key alone."""
    for _ in range(30):
        if field(shown, name).has_focus_within:
            return
        await shown.press("tab")
    raise AssertionError(f"{name} cannot be reached")


async def fill(shown: Screened, name: str, typed: str) -> None:
    await go_to(shown, name)
    await shown.press(*typed)


def only_file(places: Places) -> Path:
    (path,) = [path for path in places.jobs.rglob("*") if path.is_file()]
    return path


async def test_a_typed_text_becomes_a_task_that_is_rendered(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await shown.press(*"Hello there.")
        await fill(shown, "job", "book/one")
        await shown.until(lambda: "book/one/hello-there.txt" in preview(shown), "the path")
        await shown.press("ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the end")
        await shown.until_state("book/one/hello-there", "done")
        assert (places.jobs / "book/one/hello-there.txt").read_text() == "Hello there."
        assert "added book/one/hello-there" in shown.text()


def joined(shown: Screened) -> str:
    """The screen's words, however they are broken into lines."""
    return " ".join(" ".join(line for line in shown.text().split("\n")).split())


async def test_the_cursor_goes_to_the_new_task_once_it_is_there(places: Places) -> None:
    async with screened(places) as shown:
        for name in "bcd":
            (places.jobs / f"{name}.txt").write_text("Hi.")
        await shown.until(lambda: shown.snapshot.total == 3, "three tasks")
        await begin(shown, "Zebra.")
        await shown.press("ctrl+s")
        await shown.until(lambda: shown.snapshot.focus and shown.snapshot.focus.id == "jobs/zebra", "the cursor")


async def test_adding_keeps_sort_and_filter(places: Places) -> None:
    async with screened(places) as shown:
        for name in "bcd":
            (places.jobs / f"{name}.txt").write_text("Hi.")
        await shown.until(lambda: shown.snapshot.total == 3, "three tasks")
        await shown.press("s", "slash", *"jobs/", "enter")
        await shown.until(lambda: shown.snapshot.view.only.text == "jobs/", "the filter")
        await begin(shown, "Zebra.")
        await shown.press("ctrl+s")
        await shown.until(lambda: shown.snapshot.focus and shown.snapshot.focus.id == "jobs/zebra", "the cursor")
        assert (shown.snapshot.view.sort, shown.snapshot.view.only.text) == ("name", "jobs/")


async def test_what_the_filter_hides_is_told_and_the_filter_stays(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "a.txt").write_text("Hi.")
        await shown.until(lambda: shown.snapshot.total == 1, "a task")
        await shown.press("slash", *"a", "enter")
        await shown.until(lambda: shown.snapshot.view.only.text == "a", "the filter")
        await begin(shown, "Hello.")
        await shown.press("ctrl+s")
        await shown.until(lambda: "the filter “a” hides it" in joined(shown), "the notice")
        assert [row.id for row in shown.snapshot.rows] == ["jobs/a"]
        await shown.press("escape")
        await shown.until(lambda: shown.snapshot.total == 2, "all")


async def test_a_step_of_the_person_s_own_is_not_taken_back(places: Places) -> None:
    async with screened(places) as shown:
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
        queue = shown.app.screen
        queue.go_to("jobs/b")
        await shown.press("k")
        for name in "ab":
            (places.jobs / f"{name}.txt").write_text("Hi.")
            await shown.until_state(f"jobs/{name}", "done")
        assert queue.current.id == "jobs/a"


async def test_the_preview_warns_of_a_speaker_that_there_is_not(places: Places) -> None:
    async with screened(places, host=False) as shown:
        await begin(shown, "<speaker:bob> Hello there.")
        await shown.until(lambda: "! text line 1: unknown speaker 'bob'" in preview(shown), "the warning")


async def test_the_preview_is_what_is_added(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown, HOSTILE)
        await fill(shown, "seed", "5")
        await shown.until(lambda: "seed: 5" in preview(shown), "the preview")
        previewed = preview(shown).partition("\n")[2]
        await shown.press("ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the end")
        assert only_file(places).read_bytes() == previewed.encode()
        assert previewed == f"---\nseed: 5\n---\n{CLEANED}"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 35)])
async def test_what_it_becomes_is_in_sight_from_every_field(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(tmp_path)  # from here the path is short, and stays on one line
    async with screened(places, size=size) as shown:
        await begin(shown, "Hello.")
        await shown.until(lambda: "hello.txt" in shown.text(), "the path")
        await fill(shown, "priority", "3")
        await shown.until(lambda: "priority: 3" in shown.text(), "the setting")
        assert "hello.txt" in shown.text()


async def test_a_wrong_job_leaves_the_standards_of_other_fields_in_sight(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown, "Hello.")
        await fill(shown, "job", "../x")
        await shown.until(lambda: "must not hold '..'" in shown.text(), "what is wrong")
        assert "a new one for each run" in shown.text()
        assert "the model's own voice" in shown.text()


async def test_what_is_typed_is_shown_literally(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown, HOSTILE)
        for name in ("job", "name", "speaker", "reference"):
            await go_to(shown, name)
            shown.app.post_message(events.Paste("\x1b[2J[/][b]\u202e[open [b\nsecond"))
            await shown.until(lambda name=name: field(shown, name).value == "[2J[/][b][open [b", name)
        await shown.press("ctrl+s")
        await shown.until(lambda: problem(shown, "speaker"), "the refusal")
        assert "[/] [laugh] [@click=app.quit]x[/]" in shown.text()
        assert not {"\x1b", "\u202e"} & set(shown.text())
        assert shown.app.return_value is None


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("exaggeration", "3", "must be at most 2"),
        ("temperature", "hot", "must be a number, not 'hot'"),
        ("seed", "-1", "must be at least 0"),
        ("speaker", "al", "unknown speaker 'al'"),
        ("reference", "no.wav", "no such file: 'no.wav'"),
        ("name", "a/b", "must not hold '/'"),
        ("job", "../x", "must not hold '..'"),
    ],
)
async def test_a_mistake_stands_beside_its_field_and_nothing_is_added(
    places: Places, name: str, typed: str, said: str
) -> None:
    async with screened(places, size=(60, 20)) as shown:
        await begin(shown, "Hello.")
        await fill(shown, name, typed)
        await shown.until(lambda: said in problem(shown, name), "the problem while it is typed")
        await shown.press("shift+tab", "ctrl+s")
        await shown.until(lambda: field(shown, name).has_focus_within, "the cursor at the mistake")
        await shown.until(lambda: said in shown.text(), "the problem in sight")
        assert isinstance(shown.app.screen, AddScreen)
        assert not list(places.jobs.iterdir())


async def test_an_empty_text_is_told_only_when_it_is_to_be_added(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await fill(shown, "seed", "x")
        await shown.until(lambda: problem(shown, "seed"), "the other mistake")
        assert not problem(shown, "text")
        await shown.press("ctrl+s")
        await shown.until(lambda: "there is no text to speak" in problem(shown, "text"), "the problem")
        assert box(shown).has_focus_within


async def test_models_have_the_fields_that_they_use(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown, "Hallo.")
        assert not field(shown, "language").display
        await go_to(shown, "model")
        await shown.press("enter", *"multi", "enter")
        await shown.until(lambda: field(shown, "language").display, "languages")
        await go_to(shown, "language")
        await shown.press("enter", *"german", "enter")
        await shown.until(lambda: 'language: "de"' in preview(shown), "the language")
        await shown.press("shift+tab", "enter", *"turbo", "enter")
        await shown.until(lambda: not field(shown, "exaggeration").display, "turbo's fields")
        assert preview(shown).endswith('---\nmodel: "turbo"\n---\nHallo.')


async def test_jobs_and_speakers_that_there_are_can_be_stepped_through(places: Places) -> None:
    for name in ("book", "podcast"):
        (places.jobs / name).mkdir(parents=True)
    (places.jobs / "podcast/job.yaml").write_text("speakers: {al: {}, 'b[/]': {}}")
    async with screened(places) as shown:
        await begin(shown, "Hello.")
        await go_to(shown, "job")
        await shown.until(lambda: "book, podcast" in shown.text(), "the jobs")
        await shown.press("down", "down")
        assert field(shown, "job").value == "podcast"
        await go_to(shown, "speaker")
        await shown.until(lambda: "al, b[/]" in shown.text(), "the speakers")
        await shown.press("up", "ctrl+s")
        await shown.until_state("podcast/hello", "done")
        assert 'speaker: "b[/]"' in (places.jobs / "podcast/hello.txt").read_text()


async def test_names_that_are_taken_get_a_number(places: Places) -> None:
    async with screened(places) as shown:
        for number in ("", "-2"):
            await begin(shown, "Hello.")
            await shown.press("ctrl+s")
            await shown.until_state(f"jobs/hello{number}", "done")


async def test_escape_asks_before_it_throws_a_text_away(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await shown.press("escape")
        assert isinstance(shown.app.screen, QueueScreen)
        await begin(shown, "Precious.")
        await shown.press("escape")
        assert isinstance(shown.app.screen, Choice)
        await shown.press("escape")
        assert box(shown).text == "Precious."
        await shown.press("escape", "t")
        await begin(shown)
        assert box(shown).is_blank


async def test_q_leads_back_too_where_nothing_is_typed_into(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await shown.press("q")
        assert box(shown).text == "q"
        await shown.press("backspace")
        shown.app.screen.query_one("#preview").focus()
        await shown.press("q")
        assert isinstance(shown.app.screen, QueueScreen)


async def test_a_text_that_was_kept_is_offered_the_next_time(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown, "Precious [/].")
        await fill(shown, "job", "book")
        await shown.press("escape", "k", "a")
        await shown.until(lambda: "Precious [/]." in shown.text(), "the offer")
        await shown.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the way back")
        await shown.press("a", "g")
        assert (box(shown).text, field(shown, "job").value) == ("Precious [/].", "book")
        await shown.press("ctrl+s")
        await shown.until_state("book/precious", "done")
        await begin(shown)


async def test_leaving_the_app_asks_after_a_text(places: Places) -> None:
    async with screened(places) as shown:
        await begin(shown, "Precious.")
        await shown.press("ctrl+q")
        assert isinstance(shown.app.screen, Choice)
        await shown.press("escape")
        assert box(shown).text == "Precious."
        await shown.press("escape", "k", "q", "y")
        await shown.until(lambda: shown.app.return_value is not None, "the end")


async def test_a_megabyte_is_pasted_shown_and_added_whole(places: Places) -> None:
    text = "Hello. [/]\n" * 95_000
    async with screened(places, size=(60, 20)) as shown:
        await begin(shown)
        await shown.press(*"Title", "enter")
        shown.app.post_message(events.Paste(text.replace("\n", "\r\n")))
        await shown.until(lambda: "1,045,006 characters" in shown.text(), "the description")
        await fill(shown, "name", "long")
        await shown.until(lambda: "more characters" in preview(shown), "the beginning of the preview")
        await shown.press("ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the end")
        assert only_file(places).read_text() == f"Title\n{text}"


async def test_a_long_text_is_taken_out_again_and_grows_by_more(places: Places) -> None:
    async with screened(places, size=(80, 24)) as shown:
        await begin(shown, "Short.")
        await paste(shown, "x" * 11_000)
        await shown.until(lambda: box(shown).has_class("-long"), "the long text")
        await paste(shown, "\nMore.")
        await shown.until(lambda: box(shown).text == f"Short.{'x' * 11_000}\nMore.", "more of it")
        await shown.press("backspace")
        assert box(shown).text == "Short."
        assert shown.app.focused is shown.app.screen.query_one(TextArea)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 35), (200, 50)])
async def test_every_field_is_in_sight_when_it_has_the_focus(places: Places, size: tuple[int, int]) -> None:
    async with screened(places, size=size) as shown:
        await begin(shown)
        assert PLACEHOLDER in shown.text()
        for name in ("job", "cfg_weight", "priority"):
            await go_to(shown, name)
            region = field(shown, name).region
            await shown.until(lambda name=name: field(shown, name).region.bottom < size[1], f"{name} {region}")
        assert "add" in shown.text().splitlines()[-1]
        lines = shown.app.screen._compositor.render_strips()
        assert {line.cell_length for line in lines} == {size[0]}
