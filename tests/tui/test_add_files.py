"""Picking task files, by keys alone, over a real host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.widgets import Input, Static

from cbtui.paths import Places
from cbtui.tui.screens.add import AddScreen
from cbtui.tui.screens.add_files import AddFilesScreen
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.widgets.field import Field
from cbtui.tui.widgets.task_tree import TaskTree
from cbtui.tui.widgets.text_box import TextBox
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's own folder, with task files, and with others."""
    home = tmp_path / "home"
    files = {
        "one.txt": "One.",
        "two.yaml": "text_file: texts/two.txt\nreference: voices/al.wav",
        "texts/two.txt": "Two.",
        "voices/al.wav": "RIFF",
        "bad.yaml": "text: Hi.\ntempo: [/]\nreference: ../al.wav",
        "no-clip.yaml": "text: Hi.\nreference: voices/[no].wav",
        "z[/] [laugh.md".replace("/", "\\"): "Hi.",
        ".hidden.txt": "Hi.",
        ".folder/a.txt": "Hi.",
        "job.yaml": "seed: 5",
        "song.mp3": "x",
    }
    for name, content in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


def tree(shown: Screened) -> TaskTree:
    return shown.app.screen.query_one(TaskTree)


def lines(shown: Screened) -> list[str]:
    """What stands in the tree."""
    return [str(node.label) for node in tree(shown).root.children]


def problems(shown: Screened) -> str:
    return str(shown.app.screen.query_one("#problems Static", Static).content)


async def begin(shown: Screened) -> None:
    await shown.press("a", "ctrl+o")
    assert isinstance(shown.app.screen, AddFilesScreen)
    await shown.until(lambda: "one.txt" in shown.text(), "the files")


async def mark(shown: Screened, *names: str) -> None:
    for name in names:
        while tree(shown).current is None or tree(shown).current.name != name:
            await shown.press("down")
        await shown.press("space")


async def type_path(shown: Screened, typed: str) -> None:
    await shown.press("tab", *typed)
    assert shown.app.focused is shown.app.screen.query_one("#path")


async def test_the_tree_shows_task_files_and_folders_literally(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await begin(shown)
        assert lines(shown) == [
            "texts",
            "voices",
            "bad.yaml",
            "no-clip.yaml",
            "one.txt",
            "two.yaml",
            "z[\\] [laugh.md",
        ]
        assert "z[\\] [laugh.md" in shown.text()


async def test_marked_files_come_with_what_they_name_and_render(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await mark(shown, "one.txt", "two.yaml")
        assert "2 marked: one.txt, two.yaml" in shown.text()
        await shown.press("tab", "tab", *"book", "ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the end")
        await shown.until_state("book/one", "done")
        await shown.until_state("book/two", "done")
        assert (places.jobs / "book/voices/al.wav").exists()
        await shown.until(lambda: shown.snapshot.focus.id == "book/one", "the cursor")


async def test_without_marks_the_file_under_the_cursor_is_added(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await mark(shown, "one.txt")
        await shown.press("up", "space", "up")
        assert tree(shown).marked == []
        await shown.press("ctrl+s")
        await shown.until_state("jobs/one", "done")
        assert "job.yaml is not copied along" in "".join(shown.text().split("\n"))


async def test_enter_marks_and_unmarks_where_the_cursor_stays(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await mark(shown, "one.txt")
        await shown.press("up", "enter")
        await shown.until(lambda: "● one.txt" not in shown.text(), "no mark")
        await shown.press("enter")
        await shown.until(lambda: "● one.txt" in shown.text(), "the mark")


async def test_problems_of_all_files_are_listed_literally_and_nothing_is_added(places: Places, home: Path) -> None:
    async with screened(places, size=(60, 20)) as shown:
        await begin(shown)
        await mark(shown, "bad.yaml", "no-clip.yaml", "one.txt")
        await shown.press("ctrl+s")
        await shown.until(lambda: problems(shown), "the problems")
        first, second, third = problems(shown).split("\n")
        assert "bad.yaml:2:1: tempo: unknown setting" in first
        assert "bad.yaml:3:1: reference: '../al.wav' cannot go along" in second
        assert "no-clip.yaml:2:1: reference: no such file: 'voices/[no].wav'" in third
        assert "not added" in shown.text()
        assert not list(places.jobs.iterdir())


async def test_a_file_of_the_same_name_is_overwritten_only_on_request(places: Places, home: Path) -> None:
    places.jobs.mkdir()
    (places.jobs / "one.txt").write_text("Old.")
    async with screened(places) as shown:
        await begin(shown)
        await mark(shown, "one.txt")
        await shown.press("ctrl+s")
        await shown.until(lambda: "is there already, with other content" in problems(shown), "the refusal")
        await shown.press("shift+tab", "shift+tab", "enter", "down", "enter", "ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the end")
        assert (places.jobs / "one.txt").read_text() == "One."


async def test_a_path_is_typed_with_completion(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await type_path(shown, "~/te")
        path = shown.app.screen.query_one("#path", Input)
        for whole in ("~/texts/", "~/texts/two.txt"):
            await shown.press("tab")
            await shown.until(lambda whole=whole: path.value == whole, whole)
        await shown.press("enter")
        await shown.until(lambda: tree(shown).marked == [home / "texts/two.txt"], "the mark")
        await shown.press("ctrl+s")
        await shown.until_state("jobs/two", "done")


async def test_it_begins_where_the_person_stands_else_at_home(
    places: Places, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home / "texts")
    async with screened(places) as shown:
        await shown.press("a", "ctrl+o")
        await shown.until(lambda: lines(shown) == ["two.txt"], "where the person stands")
        await shown.press("escape")
        gone = home / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()
        await shown.press("ctrl+o")
        await shown.until(lambda: "one.txt" in lines(shown), "the home")
        monkeypatch.chdir(home)


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_choices_that_are_open_leave_the_line_of_keys_alone(
    places: Places, home: Path, size: tuple[int, int]
) -> None:
    async with screened(places, size=size) as shown:
        await begin(shown)
        await shown.press("shift+tab", "enter")
        overlay = shown.app.screen.query_one("SelectOverlay")
        await shown.until(lambda: overlay.region.height > 1, "the choices")
        assert overlay.region.bottom < size[1]


async def test_a_folder_that_is_typed_is_shown_and_begun_with_the_next_time(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await type_path(shown, "~/texts")
        await shown.press("enter")
        await shown.until(lambda: lines(shown) == ["two.txt"], "the folder")
        await shown.press("escape", "ctrl+o")
        await shown.until(lambda: lines(shown) == ["two.txt"], "the folder again")
        await shown.press("backspace")
        await shown.until(lambda: "one.txt" in lines(shown), "the folder above")


@pytest.mark.parametrize("kind", ["missing", "pipe", "wave"])
async def test_what_is_no_task_file_is_refused_as_the_command_does(places: Places, home: Path, kind: str) -> None:
    os.mkfifo(home / "a-pipe.txt")
    typed = {"missing": "~/nothing.txt", "pipe": "~/a-pipe.txt", "wave": "~/song.mp3"}[kind]
    said = {"missing": "no such file", "pipe": "is a named pipe", "wave": "is not a task file"}[kind]
    async with screened(places) as shown:
        await begin(shown)
        await type_path(shown, typed)
        await shown.press("enter")
        await shown.until(lambda: tree(shown).marked, "the mark")
        await shown.press("ctrl+s")
        await shown.until(lambda: said in problems(shown), said)


async def test_a_text_that_is_typed_stays_while_files_are_added(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await shown.press("a", *"Typed", "ctrl+o")
        await shown.until(lambda: "one.txt" in shown.text(), "the files")
        await mark(shown, "one.txt")
        await shown.press("ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, AddScreen), "the way back")
        assert shown.app.screen.query_one(TextBox).text == "Typed"
        await shown.until_state("jobs/one", "done")


async def test_the_job_that_was_typed_holds_for_files_too(places: Places, home: Path) -> None:
    async with screened(places) as shown:
        await shown.press("a", "tab", *"book", "ctrl+o")
        assert shown.app.screen.query_one("#field-job", Field).value == "book"


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_keys_lead_back_from_the_list(places: Places, home: Path, key: str) -> None:
    async with screened(places) as shown:
        await begin(shown)
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, AddScreen), "the way back")


async def test_a_folder_of_thousands_shows_its_first(places: Places, home: Path) -> None:
    many = home / "many"
    many.mkdir()
    for number in range(5000):
        (many / f"{number}.txt").touch()
    async with screened(places, size=(60, 20)) as shown:
        await begin(shown)
        await type_path(shown, "~/many")
        await shown.press("enter")
        await shown.until(lambda: len(lines(shown)) == 2000, "the folder")
        assert lines(shown)[:2] == ["0.txt", "1.txt"]
