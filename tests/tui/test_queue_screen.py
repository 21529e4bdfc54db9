"""The screen of the queue, driven by keys over a real host."""

from __future__ import annotations

import pytest

from cbtui.paths import Places
from tests.support.gated_engine import GatedEngine
from tests.tui.support import screened

pytestmark = pytest.mark.asyncio


async def test_a_dropped_file_is_seen_until_it_is_done(places: Places) -> None:
    async with screened(places) as shown:
        (places.jobs / "hello.txt").write_text("Hello there.")
        await shown.until_state("jobs/hello", "done")
        await shown.until(lambda: "jobs/hello" in shown.text(), "its line")
        assert "1 done" in shown.text()


async def test_keys_pause_resume_and_cancel(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine) as shown:
        for name in ("a", "b"):
            (places.jobs / f"{name}.txt").write_text(f"Hello {name}.")
        await shown.until_state("jobs/b", "queued")
        await shown.press("j", "p")
        await shown.until_state("jobs/b", "paused")
        await shown.press("p")
        await shown.until_state("jobs/b", "queued")
        await shown.press("x")
        await shown.until_state("jobs/b", "cancelled")
        engine.open()


async def test_an_empty_queue_says_where_to_begin(places: Places) -> None:
    async with screened(places) as shown:
        await shown.until(lambda: "to add a text" in shown.text(), "the hint")
