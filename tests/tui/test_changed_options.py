"""A host that is started with other options for all tasks than the last one: nothing is rendered again unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.paths import Places
from cbtui.tui.screens.confirm import Choice
from tests.support.fake_engine import FakeEngine
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio

DRAFTS = {"engine": "espeak"}


def finals(places: Places) -> list[Path]:
    return list(places.output.glob("jobs/a/*/a.wav"))


async def draft(places: Places) -> None:
    """A session on the draft voice, with one task finished."""
    async with screened(places, FakeEngine(version=2), overrides=DRAFTS) as shown:
        (places.jobs / "a.txt").write_text("Hello a.")
        await shown.until_state("jobs/a", "done")


async def until_asked(shown: Screened) -> None:
    await shown.until(lambda: isinstance(shown.app.screen, Choice), "the question")
    await shown.until(lambda: "--engine espeak" in shown.text(), "the option")


async def test_finished_drafts_are_not_rendered_again_before_the_person_says_so(places: Places) -> None:
    await draft(places)
    engine = FakeEngine()
    async with screened(places, engine, awaits_host=False) as shown:
        await until_asked(shown)
        assert "1 finished task, drafts so far, would be rendered again, where that" in shown.text()
        assert (shown.snapshot.holder, engine.requests) == (None, [])
        await shown.press("r")
        await shown.until(lambda: len(engine.requests) == 1, "the rendering")


async def test_drafts_that_are_kept_stay_done_and_what_is_new_is_rendered(places: Places) -> None:
    await draft(places)
    engine = FakeEngine()
    async with screened(places, engine, awaits_host=False) as shown:
        await until_asked(shown)
        await shown.press("k")
        (places.jobs / "b.txt").write_text("Hello b.")
        await shown.until_state("jobs/b", "done")
        assert {row.id: row.state for row in shown.snapshot.rows} == {"jobs/a": "done", "jobs/b": "done"}
        assert engine.texts == ["Hello b."]


async def test_a_kept_draft_is_rendered_when_its_text_changes(places: Places) -> None:
    await draft(places)
    engine = FakeEngine()
    async with screened(places, engine, awaits_host=False) as shown:
        await until_asked(shown)
        await shown.press("k")
        await shown.until(lambda: shown.snapshot.holder, "the host")
        await shown.until(lambda: shown.snapshot.rows[0].model == "chatterbox/english", "the file, read anew")
        (places.jobs / "a.txt").write_text("Hello anew.")
        await shown.until(lambda: engine.texts == ["Hello anew."], "the rendering")


async def test_what_was_kept_is_not_asked_about_again(places: Places) -> None:
    await draft(places)
    async with screened(places, awaits_host=False) as shown:
        await until_asked(shown)
        await shown.press("k")
        await shown.until(lambda: shown.snapshot.rows and shown.snapshot.rows[0].model != "espeak", "read anew")
    engine = FakeEngine()
    async with screened(places, engine) as shown:
        (places.jobs / "b.txt").write_text("Hello b.")
        await shown.until_state("jobs/b", "done")
        assert engine.texts == ["Hello b."]


async def test_going_on_with_the_drafts_leaves_them_and_makes_more(places: Places) -> None:
    await draft(places)
    async with screened(places, awaits_host=False) as shown:
        await until_asked(shown)
        await shown.press("g")
        (places.jobs / "b.txt").write_text("Hello b.")
        await shown.until_state("jobs/b", "done")
        assert {row.model for row in shown.snapshot.rows} == {"espeak"}
        assert len(finals(places)) == 1


async def test_escape_hosts_nothing_until_h_which_asks_again(places: Places) -> None:
    await draft(places)
    async with screened(places, awaits_host=False) as shown:
        await until_asked(shown)
        await shown.press("escape")
        await shown.until(lambda: "press h to host" in shown.text(), "the hint")
        await shown.press("h")
        await until_asked(shown)


async def test_who_takes_over_is_asked_about_what_waits_too(places: Places) -> None:
    async with screened(places, overrides=DRAFTS) as shown:
        await shown.press("P")
        await shown.until(lambda: shown.snapshot.paused, "the pause")
        (places.jobs / "a.txt").write_text("Hello a.")
        await shown.until_state("jobs/a", "queued")
    async with screened(places, host=False) as shown:
        await shown.until(lambda: "press h to host" in shown.text(), "the hint")
        await shown.pilot.pause()
        del shown.app._hosting.start
        await shown.press("h")
        await until_asked(shown)
        assert "1 task waits to be rendered." in shown.text()
        await shown.press("g")
        await shown.until(lambda: shown.app._hosting.host is not None, "the host")
        assert shown.app._hosting.overrides == DRAFTS


async def test_the_same_options_ask_nothing(places: Places) -> None:
    await draft(places)
    async with screened(places, overrides=DRAFTS) as shown:
        assert not isinstance(shown.app.screen, Choice)
