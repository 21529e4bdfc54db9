"""The screen of a task whose files are gone, damaged, edited or hostile: it says so in words."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from cbtui.audio.takes import write_take
from cbtui.paths import Places
from cbtui.tui.screens.task import TaskScreen
from tests.support.fake_engine import RATE
from tests.support.gated_engine import GatedEngine
from tests.tui.story import WIDE, YAML, chunk_lines, only_run, open_task, until_told
from tests.tui.support import screened

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def short_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person stands where the jobs are."""
    monkeypatch.chdir(tmp_path)


def _remove_run(run: Path) -> None:
    run.rename(run.with_name(f".{run.name}"))


def _truncate_take(run: Path) -> None:
    (run / "story.wav").unlink()
    take = sorted((run / "chunks").glob("*.wav"))[1]
    os.truncate(take, 100)


def _manifest(content: str):
    def write(run: Path) -> None:
        (run / "manifest.json").write_text(content)

    return write


FOREIGN = {
    "version": 1,
    "complete": "yes",
    "engine": [],
    "seed": 10**400,
    "settings": {
        "speakers": {"[/]": {"reference": "\0", "sampling": {"x": [1]}}, "b": 7},
        "output": {"chunk_silence": 1e308},
    },
    "chunks": [7, None, {"file": 3, "stamp": {}, "text": ["a"]}, {"file": "../../../etc/passwd", "text": "[/]"}],
    "warnings": ["\x1b]52;c;aGk=\x07"],
    "task_digest": {},
}


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_remove_run, ["the run is gone"]),
        (lambda run: (run / "manifest.json").unlink(), ["manifest.json: no such file", "3 of 3 chunks"]),
        (_manifest("{"), ["manifest.json is damaged", "3 of 3 chunks", "One is here."]),
        (_manifest("[" * 100_000), ["manifest.json is damaged"]),
        (_manifest('{"version": 99}'), ["not a manifest of this version"]),
        (_manifest(json.dumps(FOREIGN)), ["0 of 4 chunks, 4 missing"]),
        (lambda run: (run / "story.wav").unlink(), ["the finished file is gone", "3 of 3 takes"]),
        (
            lambda run: (run / "story.wav").write_text("no sound at all"),
            ["it is not a WAV file", "3 of 3 takes"],
        ),
        (_truncate_take, ["it is cut off", "2 of 3 chunks, 1 damaged", "2 of 3 takes"]),
        (lambda run: (run / "chunks").rename(run / "elsewhere"), ["0 of 3 chunks, 3 missing", "the finished file"]),
    ],
)
async def test_what_is_missing_or_damaged_is_said_in_words(places: Places, harm, told: list[str]) -> None:
    async with screened(places, size=WIDE) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        await shown.until_state("jobs/story", "done")
        harm(only_run(places))
        await open_task(shown, "jobs/story", "done")
        await until_told(shown, *told)
        assert "The log has more" not in shown.text()


async def test_a_pipe_in_place_of_a_file_holds_nothing_up(places: Places) -> None:
    async with screened(places, size=WIDE) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        await shown.until_state("jobs/story", "done")
        run = only_run(places)
        take = next(iter((run / "chunks").glob("*.wav")))
        for path in (run / "manifest.json", run / "story.wav", take, take.with_suffix(".json")):
            path.unlink()
            os.mkfifo(path)
        await open_task(shown, "jobs/story", "done")
        await until_told(shown, "manifest.json: is a named pipe", "2 of 2 chunks")


HOSTILE = ("[/]", "[@click=app.quit]x[/]", "\x1b]52;c;aGk=\x07x", "\u202egnp", "👩‍👩‍👧 e\u0301", "漢字" * 9, "שלום")


@pytest.mark.parametrize("size", [(120, 35), (80, 24), (60, 20), (41, 12)])
async def test_texts_and_names_are_shown_as_they_are_and_nothing_of_them_acts(
    places: Places, size: tuple[int, int]
) -> None:
    async with screened(places, size=size) as shown:
        name = "[@click=app.quit]x[∕] 漢字"
        text = "\n\n".join(f"Hello {each}." for each in HOSTILE)
        (places.jobs / f"{name}.txt").write_text(text)
        await open_task(shown, f"jobs/{name}", "done")
        await until_told(shown, "[@click=app.quit]x[∕] 漢字")
        lines = chunk_lines(shown)
        assert "Hello [/]." in lines[0]
        assert "app.quit" in lines[1]
        assert not any(bad in "\n".join(lines) + shown.text() for bad in "\x1b\x07\u202e")
        for y in range(size[1] - 1):
            await shown.pilot.click(offset=(size[0] // 2, y))
        assert isinstance(shown.app.screen, TaskScreen)


async def test_an_edited_file_makes_its_run_one_of_an_earlier_text(places: Places) -> None:
    engine = GatedEngine()
    engine.let(3)
    async with screened(places, engine, size=WIDE) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        await shown.until_state("jobs/story", "done")
        await shown.press("P")
        await shown.until(lambda: shown.snapshot.paused, "the pause")
        (places.jobs / "story.yaml").write_text(YAML.replace("Two", "Zwei"))
        await open_task(shown, "jobs/story", "queued")
        await until_told(shown, "the file was edited since")


async def test_a_take_that_a_person_put_there_has_its_length_and_no_facts(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        await shown.until_state("jobs/story", "done")
        run = only_run(places)
        first = sorted((run / "chunks").glob("*.wav"))[0]
        first.with_suffix(".json").unlink()
        write_take(first, np.zeros(3 * RATE, np.float32), RATE)
        await open_task(shown, "jobs/story", "done")
        await shown.until(lambda: chunk_lines(shown) and "3.0 s" in chunk_lines(shown)[0], "its length")
        assert "#" not in chunk_lines(shown)[0]
