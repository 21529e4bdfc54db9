"""The task under the cursor, on the queue's screen: its sound and its chunks, and no reading of what is passed by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cbtui.paths import Places
from cbtui.tui import task_feed
from cbtui.tui.reading_runs import RunReader
from cbtui.tui.screens.task import TaskScreen
from cbtui.tui.widgets.detail import Detail
from cbtui.tui.widgets.waveform import Waveform
from tests.support.batch_engine import BatchEngine
from tests.support.gated_engine import GatedEngine
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def short_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person stands where the jobs are."""
    monkeypatch.chdir(tmp_path)


def detail(shown: Screened) -> Detail:
    return shown.app.screen.query_one(Detail)


async def until_summary(shown: Screened, summary: str) -> None:
    await shown.until(lambda: detail(shown).border_subtitle == summary, summary)


async def test_it_shows_the_chunks_and_the_sound_of_a_task_under_way(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine) as shown:
        (places.jobs / "a.yaml").write_text(
            "chunking: {target: 40, limit: 40}\ntext: |\n  One is here.\n\n  Two is there."
        )
        await until_summary(shown, "0 of 2 chunks, 1 rendering, 1 waiting")
        waveform = detail(shown).query_one(Waveform)
        assert not waveform.display
        engine.let(1)
        await until_summary(shown, "1 of 2 chunks, 1 rendering")
        await shown.until(lambda: waveform.display and waveform._lines, "the sound")
        assert len(waveform._lines) == 2
        engine.open()
        await until_summary(shown, "2 of 2 chunks")


async def test_all_chunks_that_are_in_work_count_as_being_rendered(places: Places) -> None:
    engine = BatchEngine(2)
    async with screened(places, engine) as shown:
        (places.jobs / "a.yaml").write_text(
            "chunking: {target: 40, limit: 40}\ntext: |\n  One is here.\n\n  Two is there.\n\n  Three comes last."
        )
        await until_summary(shown, "0 of 3 chunks, 2 rendering, 1 waiting")
        engine.let("Two is there.")
        await until_summary(shown, "1 of 3 chunks, 2 rendering")
        engine.open()
        await until_summary(shown, "3 of 3 chunks")


async def test_it_shows_the_task_that_the_cursor_went_to(places: Places) -> None:
    async with screened(places) as shown:
        for name, text in (("a", "One."), ("b", "One.\n\nTwo.")):
            (places.jobs / f"{name}.yaml").write_text(
                f"chunking: {{target: 40, limit: 40}}\ntext: {json.dumps(text)}\n"
            )
            await shown.until_state(f"jobs/{name}", "done")
        (places.jobs / "c.yaml").write_text("text: ''\n")
        await shown.until_state("jobs/c", "invalid")
        await shown.press("g")
        for key, summary in (("j", "2 of 2 chunks"), ("j", "1 of 1 chunks"), ("k", "2 of 2 chunks"), ("k", "")):
            await shown.press(key)
            await shown.until(lambda summary=summary: (detail(shown).border_subtitle or "") == summary, summary)
        await shown.until(lambda: not detail(shown).query_one(Waveform).display, "silence")


async def test_nothing_is_read_of_tasks_that_are_passed_by(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_feed, "_SETTLE_SECONDS", 0.5)
    read: list[str] = []
    real = RunReader.read
    monkeypatch.setattr(RunReader, "read", lambda reader, row: (read.append(row.id), real(reader, row))[1])
    async with screened(places) as shown:
        for number in range(12):
            (places.jobs / f"{number:02d}.txt").write_text("Hello.")
        await shown.until(lambda: shown.snapshot.counts.get("done") == 12, "all of them")
        await shown.until(lambda: read, "the first")
        read.clear()
        await shown.press(*"jjjjjjjjj")
        last = shown.app.screen.queue.current.id
        await shown.until(lambda: last in read, "the last")
        assert set(read[1:]) <= {last}


async def test_while_another_screen_lies_on_top_it_reads_nothing(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await until_summary(shown, "1 of 1 chunks")
        feed = detail(shown)._feed
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, TaskScreen), "the screen")
        wanted = feed._wanted
        await shown.press("R")
        await shown.until(lambda: len(list((places.output / "jobs/a").glob("2*/a.wav"))) == 2, "another run")
        await shown.until(lambda: shown.snapshot.opened_row and shown.snapshot.opened_row.state == "done", "its end")
        assert feed._wanted is wanted
        await shown.press("escape")
        await shown.until(lambda: feed._wanted is not wanted, "what became of it")
