"""What a line of the queue says of its task, and the headings above."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cbtui.core.queue import Progress
from cbtui.core.status import Result
from cbtui.tui.snapshot import Snapshot
from cbtui.tui.widgets.queue_columns import what_of
from cbtui.tui.widgets.queue_list import QueueList
from tests.tui.pictured import PicturedApp, picture, row

DONE = row(1, "book/one", "done", "")
UNDER_WAY = row(1, "book/one", "rendering", "")


def finished(speech: float, work: float, *, rendered: int = 3) -> Result:
    return Result("20260101-120000", Path("one.wav"), speech, work, rendered, 0)


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (40, "12m34 of speech, 2.5x real time"),
        (24, "12m34 at 2.5x real time"),
        (14, "12m34 at 2.5x"),
        (8, "12m34"),
    ],
)
def test_what_is_done_says_its_length_and_how_much_faster_than_speech_it_was(width: int, said: str) -> None:
    assert what_of(DONE, width) == said


@pytest.mark.parametrize(("work", "times"), [(1.0, "60x"), (40.0, "1.5x"), (120.0, "0.5x"), (1200.0, "0.05x")])
def test_the_speed_has_the_digits_that_matter(work: float, times: str) -> None:
    assert what_of(replace(DONE, result=finished(60.0, work)), 14) == f"1m00 at {times}"


def test_what_had_nothing_to_render_has_no_speed() -> None:
    assert what_of(replace(DONE, result=finished(60.0, 1.0, rendered=0)), 40) == "up to date"


@pytest.mark.parametrize(("width", "said"), [(40, "7/16 chunks, 4321 tokens"), (14, "7/16 chunks"), (8, "7/16")])
def test_what_is_under_way_says_how_far_it_is(width: int, said: str) -> None:
    assert what_of(UNDER_WAY, width) == said


def test_a_draft_speaks_of_no_tokens() -> None:
    assert what_of(replace(UNDER_WAY, progress=Progress(7, 16, 0)), 40) == "7/16 chunks"


def many(count: int) -> Snapshot:
    rows = tuple(row(number, f"book/{number:03d}", "queued", "") for number in range(1, count + 1))
    return replace(picture(), rows=rows, total=count, focus=rows[0])


def lines(app: PicturedApp) -> list[str]:
    queue = app.screen.query_one(QueueList)
    return [queue.render_line(y).text for y in range(queue.size.height)]


@pytest.mark.asyncio
async def test_headings_stay_above_the_tasks_however_far_one_scrolls() -> None:
    app = PicturedApp(snapshot=many(45))
    async with app.run_test(size=(80, 24)) as pilot:
        for key, first, last in (("home", "001", "010"), ("end", "036", "045"), ("home", "001", "010")):
            await pilot.press(key)
            await pilot.pause()
            heading, *tasks = lines(app)
            assert heading.split() == ["state", "task", "progress", "left"]
            assert f"book/{first}" in tasks[0]
            assert f"book/{last}" in tasks[-1]


@pytest.mark.asyncio
async def test_headings_stand_above_their_columns() -> None:
    app = PicturedApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        heading, task, *_ = lines(app)
        for name, below in (("state", "rendering"), ("task", "book/"), ("progress", "█")):
            assert heading.index(name) == task.index(below)
        assert len(heading.rstrip()) == len(task.rstrip())


@pytest.mark.asyncio
async def test_where_there_is_little_room_it_is_left_to_the_tasks() -> None:
    app = PicturedApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert "book/chapter-04" in lines(app)[0]
