"""The screen of one task: what it tells while the task is rendered, and when it is done."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cbtui.audio.takes import write_take
from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.screens.confirm import Choice
from cbtui.tui.screens.queue import QueueScreen
from cbtui.tui.screens.task import TaskScreen
from cbtui.tui.widgets.chunks import ChunkList
from cbtui.tui.words import Words
from tests.support.fake_engine import RATE
from tests.support.gated_engine import GatedEngine
from tests.tui.story import SENTENCES, WIDE, YAML, chunk_lines, only_run, open_task, until_told
from tests.tui.support import screened
from tests.tui.test_waveform import lit_rows

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def short_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person stands where the jobs are."""
    monkeypatch.chdir(tmp_path)


async def test_a_task_under_way_tells_the_state_of_every_chunk(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        engine.let(1)
        await open_task(shown, "jobs/story", "rendering")
        await until_told(shown, "1 of 3 chunks, 1 rendering, 1 waiting", "1 of 3 takes")
        first, second, third = chunk_lines(shown)
        assert first.split()[:8] == ["1", "✓", "done", "alice", "0.1", "s", "12", "tok"]
        assert "#42" in first
        assert first.rstrip().endswith(SENTENCES[0])
        assert second.split()[:4] == ["2", "▶", "rendering", "bob"]
        assert third.split()[:4] == ["3", "·", "waiting", "alice"]
        engine.let(1)
        await until_told(shown, "2 of 3 chunks, 1 rendering", "2 of 3 takes")
        engine.open()
        await until_told(shown, "3 of 3 chunks", "the finished file", "done")


async def test_it_tells_all_settings_of_the_run(places: Places) -> None:
    async with screened(places, size=WIDE) as shown:
        (places.jobs / "story.yaml").write_text(YAML.replace("seed: 42\n", ""))
        await open_task(shown, "jobs/story", "done")
        await until_told(
            shown, "temperature 0.65", "exaggeration 0.9", "0, drawn for this run", "priority 3", "fake tone"
        )
        run = only_run(places)
        assert run.name in shown.text()
        assert "target 40, limit 60" in shown.text()


async def test_the_waveform_of_a_tone_is_as_high_as_the_tone_is_loud(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        await open_task(shown, "jobs/story", "done")
        await until_told(shown, "the finished file")
        waveform = shown.app.screen.query_one("#sound")
        lines = [waveform.render_line(y).text for y in range(waveform.content_size.height - 1)]
        rows = 4 * len(lines)
        # The fake engine's tone has an amplitude of 0.3.
        assert [lit_rows(lines, cell) for cell in (1, 50)] == [
            list(range(int(0.35 * rows), round(0.65 * rows + 0.5)))
        ] * 2


async def test_the_cursor_marks_a_chunk_in_the_waveform_and_above_the_first_there_is_none(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        await open_task(shown, "jobs/story", "done")
        await until_told(shown, "3 of 3 chunks", "the finished file")
        screen = shown.app.screen
        waveform = screen.query_one("#sound")
        assert screen.take is None
        await shown.press("down", "down")
        assert screen.take.name.startswith("0002-")
        # Ten milliseconds for each character, and no silences.
        assert waveform._marked == (pytest.approx(0.12), pytest.approx(0.25))
        for keys, number in (("G", "0003-"), ("j", "0003-"), ("k", "0002-"), ("pageup", None), ("pagedown", "0003-")):
            await shown.press(keys)
            assert (screen.take.name[:5] if screen.take else None) == number
        await shown.press("g")
        assert (screen.take, waveform._marked) == (None, None)


async def test_five_thousand_chunks_are_one_screenful_of_work(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "long.txt").write_text("Hello.")
        await shown.until_state("jobs/long", "done")
        run = only_run(places, "jobs/long")
        manifest = json.loads((run / "manifest.json").read_text())
        entry = manifest["chunks"][0]
        manifest["complete"] = False
        manifest["chunks"] = [
            {**entry, "file": f"chunks/{n:04d}-{n:08x}.wav", "text": f"Sentence {n}."} for n in range(1, 5001)
        ]
        (run / "manifest.json").write_text(json.dumps(manifest))
        for number in (1, 2500, 5000):
            write_take(run / f"chunks/{number:04d}-{number:08x}.wav", np.full(RATE, 0.5, np.float32), RATE)
        await open_task(shown, "jobs/long", "done")
        await until_told(shown, "3 of 5000 chunks, 4997 missing", "Sentence 1.", "3 of 5000 takes")
        chunks = shown.app.screen.query_one(ChunkList)
        painted: list[int] = []
        paint, chunks.render_line = chunks.render_line, lambda y: (painted.append(y), paint(y))[1]
        await shown.press("G")
        await until_told(shown, "Sentence 5000.")
        assert len(painted) <= 3 * chunks.size.height
        await shown.press("pageup", "k")
        await until_told(shown, f"Sentence {5000 - chunks.size.height}.")


async def test_an_invalid_file_is_shown_around_its_first_mistake(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "bad.yaml").write_text("text: '[/] hi'\nspeakers:\n  alice:\n    exageration: 1\nlanguage: xx\n")
        await open_task(shown, "jobs/bad", "invalid")
        await until_told(
            shown, "bad.yaml:4:5", "did you mean", "language 'xx'", "> 4      exageration: 1", "1  text: '[/] hi'"
        )
        lines = shown.text().splitlines()
        at = next(number for number, line in enumerate(lines) if "exageration: 1" in line)
        assert lines[at + 1].index("^") == lines[at].index("exageration: 1")
        (places.jobs / "bad.yaml").write_text("text: hi\n")
        await until_told(shown, "done", "the finished file")
        assert "exageration" not in shown.text()


async def test_the_log_shows_its_lines_newest_last(places: Places) -> None:
    places.log.parent.mkdir(parents=True)
    lines = [f"2026-01-01 12:00:{n:02d},123 INFO cbtui.host: chunk  jobs/a  [/] step {n}" for n in range(40)]
    other = "2026-01-01 12:00:00,123 INFO cbtui.host: done  jobs/ab  other"
    places.log.write_text("\n".join([*lines[:20], other, "some library: jobs/a", *lines[20:]]) + "\n")
    async with screened(places) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await open_task(shown, "jobs/a", "done")
        await until_told(shown, "01-01 12:00:39 chunk  [/] step 39")
        assert "other" not in shown.text()
        assert "some library" not in shown.text()


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_it_goes_back(places: Places, key: str) -> None:
    async with screened(places) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await open_task(shown, "jobs/a", "done")
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")


async def test_keys_act_on_this_task_whatever_is_marked_or_under_the_cursor_below(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine) as shown:
        for name in ("a", "b", "c"):
            (places.jobs / f"{name}.txt").write_text(f"Hello {name}.")
            await shown.until(lambda name=name: f"jobs/{name}" in shown.text(), name)
        await shown.press("space")
        await open_task(shown, "jobs/b", "queued")
        for key, state in (("p", "paused"), ("p", "queued"), ("x", "cancelled"), ("r", "queued")):
            await shown.press(key)
            await shown.until_state("jobs/b", state)
            await until_told(shown, state)
        assert {row.id: row.state for row in shown.snapshot.rows} == {
            "jobs/a": "rendering",
            "jobs/b": "queued",
            "jobs/c": "queued",
        }
        engine.open()
        await shown.until_state("jobs/b", "done")
        await shown.press("R")
        await shown.until(lambda: len(list((places.output / "jobs/b").glob("2*/b.wav"))) == 2, "another run")
        await shown.press("d")
        await shown.until(lambda: isinstance(shown.app.screen, Choice), "the question")
        await shown.press("y")
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
        await shown.until(lambda: all(row.id != "jobs/b" for row in shown.snapshot.rows), "its removal")


async def test_a_task_that_somebody_else_removed_is_told(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await open_task(shown, "jobs/a", "done")
        shown.app.feed.ask("remove", tasks=["jobs/a"])
        await until_told(shown, "jobs/a is not in the queue any more")
        await shown.press("p", "x", "r", "e", "o", "y")
        assert isinstance(shown.app.screen, TaskScreen)


async def test_a_task_that_waits_says_that_nothing_is_there(places: Places) -> None:
    async with screened(places, host=True) as shown:
        await shown.press("P")
        (places.jobs / "a.txt").write_text("Hello.")
        await open_task(shown, "jobs/a", "queued")
        await until_told(shown, "none yet")


async def test_in_ascii_all_of_its_own_making_is_ascii(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine, options=Options(Words(ascii=True), rate=20.0), size=(80, 24)) as shown:
        (places.jobs / "story.yaml").write_text(YAML)
        engine.let(2)
        await open_task(shown, "jobs/story", "rendering")
        await until_told(shown, "2 of 3 chunks", "2 of 3 takes")
        await shown.press("down")
        for widget in ("#sound", "#chunks", "#log"):
            part = shown.app.screen.query_one(widget)
            assert "".join(part.render_line(y).text for y in range(part.content_size.height)).isascii(), widget
        engine.open()
