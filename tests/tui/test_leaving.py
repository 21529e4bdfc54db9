"""Leaving: what is asked on every size of screen, and what is said of the work that stays."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from textual.widgets import Static

from cbtui.core.status import State
from cbtui.host.lock import Holder
from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.asking import about_leaving, farewell
from cbtui.tui.screens.confirm import Choice
from cbtui.tui.snapshot import Snapshot
from tests.support.gated_engine import GatedEngine
from tests.tui.support import screened
from tests.tui.test_queue_keys import fill

ANSWERS = ("leave the screen, render on", "finish the chunk, then stop", "stop now; chunks are kept", "go back")
OURS = Holder(os.getpid(), "here", 0.0, "jobs", screen=True)
THEIRS = Holder(7, "there", 0.0, "jobs")


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(40, 10), (40, 12), (60, 16), (80, 24), (200, 50)])
async def test_every_answer_is_in_sight(places: Places, size: tuple[int, int]) -> None:
    async with screened(places, host=False, size=size) as shown:
        counts: Mapping[State, int] = {"queued": 12, "blocked": 3}
        await shown.app.push_screen(about_leaving(Snapshot(counts=counts, paused=True)))
        await shown.until(lambda: all(answer in shown.text() for answer in ANSWERS), "the answers")


@pytest.mark.asyncio
async def test_more_than_the_screen_holds_is_scrolled_to(places: Places) -> None:
    async with screened(places, host=False, size=(40, 12)) as shown:
        await shown.app.push_screen(Choice("A question.\n" * 8, [(key, f"answer {key}") for key in "abcdef"]))
        await shown.until(lambda: shown.app.screen.query(Static), "the question")
        assert "go back" not in shown.text()
        await shown.press("pagedown", "pagedown", "pagedown")
        await shown.until(lambda: "answer f" in shown.text() and "go back" in shown.text(), "the end")


@pytest.mark.asyncio
async def test_only_paused_tasks_are_no_reason_to_ask_and_are_told(places: Places) -> None:
    async with screened(places) as shown:
        await fill(shown, "a")
        await shown.press("p")
        await shown.until_state("jobs/a", "paused")
        await shown.press("q")
        await shown.until(lambda: shown.app.return_value is not None, "the end")
        assert shown.app.return_value.said == "1 paused: it stays in the queue for the next start"


@pytest.mark.asyncio
async def test_who_goes_on_without_the_screen_is_told_how_to_end_it(places: Places) -> None:
    async with screened(places, GatedEngine()) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await shown.until_state("jobs/a", "rendering")
        await shown.press("q", "h")
        await shown.until(lambda: shown.app.return_value is not None, "the end")
        assert f"process {os.getpid()} goes on without a screen (1 to render)" in shown.app.return_value.said
        assert "cbtui stop" in shown.app.return_value.said


@pytest.mark.asyncio
async def test_ctrl_c_names_the_key_that_quits(places: Places) -> None:
    options = Options(rate=20.0, keymap={"quit": "f10"})
    async with screened(places, host=False, options=options) as shown:
        await shown.press("ctrl+c")
        await shown.until(lambda: "press f10 to quit" in shown.text(), "the key")


def test_what_only_waits_is_not_said_to_be_rendered() -> None:
    question = about_leaving(Snapshot(counts={"blocked": 5}))
    assert question._answers == (("h", "leave the screen, wait on"), ("s", "stop now; chunks are kept"))


@pytest.mark.parametrize(
    ("holder", "counts", "said"),
    [
        (OURS, {}, ""),
        (OURS, {"done": 3, "failed": 1}, ""),
        (OURS, {"queued": 2, "rendering": 1}, "3 to render: they stay in the queue for the next start"),
        (OURS, {"blocked": 2, "paused": 1}, "2 blocked, 1 paused: they stay in the queue for the next start"),
        (None, {"queued": 1}, "1 to render: it stays in the queue for the next start"),
        (THEIRS, {"queued": 1}, "process 7 on there goes on (1 to render)"),
        (THEIRS, {}, "process 7 on there goes on (nothing to render)"),
    ],
)
def test_what_stays_is_said_at_the_end(holder: Holder | None, counts: Mapping[State, int], said: str) -> None:
    assert farewell(Snapshot(holder=holder, counts=counts)) == said
