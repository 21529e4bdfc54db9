"""Options of the command line that hold for all tasks: what the next host makes of tasks that came out otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbtui.host.changed_options import find_changed_options
from cbtui.host.store import attach_store, store_path
from cbtui.paths import Places
from tests.host.serving import serving
from tests.support.fake_engine import FakeEngine

DRAFTS = {"engine": "espeak"}


@pytest.fixture
def drafted(places: Places) -> Places:
    """A folder whose last host finished one task and had another paused, both as drafts."""
    with serving(places, FakeEngine(version=2), overrides=DRAFTS) as served:
        served.drop("a.txt", "Hello a.")
        served.until_state("jobs/a", "done")
        served.ask("pause")
        served.drop("b.txt", "Hello b.")
        served.until_state("jobs/b", "queued")
    return places


def test_a_host_without_a_screen_renders_again_and_says_why(drafted: Places) -> None:
    with serving(drafted) as served:
        told = served.until_told("notice", text="the last host ran with --engine espeak, this one without it")
        assert "1 finished tasks are rendered again" in told.message
        assert served.state("jobs/a") == "queued"


def test_what_is_finished_stays_so_where_it_is_to_be_kept(drafted: Places) -> None:
    with serving(drafted, kept=DRAFTS) as served:
        assert served.states() == {"jobs/a": "done", "jobs/b": "queued"}
        assert not [entry for entry in served.told if "the last host ran" in entry.message]
        assert served.store.tasks.get("jobs/a").model == "chatterbox/english"


def test_another_output_directory_is_told_once(places: Places) -> None:
    for output, told in (("output", 0), ("elsewhere", 1), ("elsewhere", 0)):
        with serving(replace(places, output=places.output.with_name(output))) as served:
            messages = [entry.message for entry in served.told if "the output directory is" in entry.message]
            assert len(messages) == told
            assert all("elsewhere, it was" in message for message in messages)


def test_what_was_kept_is_rendered_anew_by_retry_fresh_and_by_an_edit(drafted: Places) -> None:
    engine = FakeEngine()
    with serving(drafted, engine, kept=DRAFTS) as served:
        served.ask("cancel", tasks=["jobs/b"])
        served.ask("resume")
        served.ask("retry", tasks=["jobs/a"], fresh=True)
        served.until(lambda: engine.texts == ["Hello a."], "the rendering")
        served.until_state("jobs/a", "done")
        served.drop("a.txt", "Hello again.")
        served.until(lambda: engine.texts == ["Hello a.", "Hello again."], "the rendering of what was edited")


@pytest.mark.parametrize(
    ("now", "finished"), [({}, 1), ({"engine": "chatterbox"}, 1), ({"engine": "espeak", "model": "turbo"}, 1)]
)
def test_other_options_are_found_with_what_they_concern(drafted: Places, now: dict[str, str], finished: int) -> None:
    with attach_store(store_path(drafted)) as store:
        changed = find_changed_options(store, now)
        assert changed is not None
        assert (changed.before, changed.finished, changed.queued) == (DRAFTS, finished, 1)


def test_the_same_options_are_no_change(drafted: Places) -> None:
    with attach_store(store_path(drafted)) as store:
        assert find_changed_options(store, DRAFTS) is None


def test_finished_tasks_of_the_engine_that_is_asked_for_are_not_counted(places: Places) -> None:
    with serving(places) as served:
        served.drop("a.yaml", "text: Hello.\nengine: espeak\n")
        served.until_state("jobs/a", "done")
        changed = find_changed_options(served.store, DRAFTS)
        assert changed is not None
        assert changed.finished == 0
