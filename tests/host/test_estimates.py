"""How long it will take, from what was measured; and that nothing is said where nothing was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbtui.core.status import State
from cbtui.host.estimates import Pace, queue_seconds, task_seconds
from cbtui.host.store import Progress
from cbtui.host.store.work import Amount, Speed
from cbtui.host.summary import queue_facts, task_facts
from cbtui.paths import Places
from tests.host.serving import serving
from tests.host.test_scheduler import make_row
from tests.support.gated_engine import GatedEngine

SPEEDS = [Speed("turbo", "alice", 100.0, 10.0), Speed("turbo", "bob", 300.0, 90.0), Speed("english", "bob", 10.0, 5.0)]


@pytest.fixture
def pace() -> Pace:
    return Pace.of(SPEEDS)


def test_the_pace_of_a_voice_is_its_own(pace: Pace) -> None:
    assert (pace.seconds("turbo", "alice", 50), pace.seconds("turbo", "bob", 50)) == (5.0, 15.0)


def test_a_new_voice_has_the_pace_of_its_model(pace: Pace) -> None:
    assert pace.seconds("turbo", "carol", 40) == pytest.approx(10.0)


def test_of_a_model_that_was_never_measured_nothing_is_said(pace: Pace) -> None:
    assert pace.seconds("multilingual", "bob", 40) is None


def test_a_measure_of_no_text_is_none() -> None:
    assert Pace.of([Speed("turbo", "alice", 0.0, 3.0)]).seconds("turbo", "alice", 40) is None


@pytest.mark.parametrize(
    ("state", "progress", "seconds"),
    [
        ("queued", Progress(), 20.0),
        ("queued", Progress(1, 4, 10), 15.0),
        ("paused", Progress(1, 4, 10), 15.0),
        ("done", Progress(4, 4, 10), 20.0),
        ("rendering", Progress(), 20.0),
        ("rendering", Progress(1, 4, 10), 15.0),
        ("rendering", Progress(4, 4, 10), 0.0),
    ],
)
def test_a_rendering_needs_only_what_is_left_of_it(
    pace: Pace, state: State, progress: Progress, seconds: float
) -> None:
    row = replace(make_row(1, "turbo", "alice"), characters=200, state=state, progress=progress)
    assert task_seconds(row, pace) == pytest.approx(seconds)
    # One that is to be rendered afresh needs all of it.
    assert task_seconds(replace(row, fresh=True), pace) == pytest.approx(20.0)


def test_a_queue_takes_the_sum_of_its_parts(pace: Pace) -> None:
    row = replace(make_row(1, "english", "bob"), characters=10, state="rendering", progress=Progress(1, 2, 1))
    waiting = [Amount("turbo", "alice", 2, 100), Amount("turbo", "carol", 1, 4)]
    assert queue_seconds(waiting, [row], [], pace) == pytest.approx(10.0 + 1.0 + 2.5)
    begun = replace(make_row(1, "turbo", "alice"), characters=50, state="queued", progress=Progress(1, 2, 1))
    assert queue_seconds(waiting, [row], [begun], pace) == pytest.approx(10.0 + 1.0 + 2.5 - 2.5)
    assert queue_seconds([], [], [], pace) == 0.0


def test_one_part_that_is_not_known_makes_the_sum_unknown(pace: Pace) -> None:
    waiting = [Amount("turbo", "alice", 2, 100), Amount("multilingual", "alice", 1, 4)]
    assert queue_seconds(waiting, [], [], pace) is None


def test_a_host_learns_how_fast_it_is(places: Places) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("a.txt", "Twenty characters.")
        served.until(lambda: engine.begun, "begun")
        assert queue_facts(served.store)["seconds_left"] is None
        engine.open()
        served.until_state("jobs/a", "done")
        assert queue_facts(served.store)["seconds_left"] == 0.0
        served.ask("pause")
        served.drop("b.txt", "Twenty characters. Twenty characters.")
        row = served.until_state("jobs/b", "queued")
        # A take of the fake engine costs 1.5 s; this text has 37 characters, the first had 18.
        assert queue_facts(served.store)["seconds_left"] == pytest.approx(1.5 * 37 / 18, abs=0.1)
        assert task_facts(row, Pace.of(served.store.work.speeds()))["seconds_left"] == pytest.approx(3.1, abs=0.1)


def test_what_was_there_already_teaches_nothing(places: Places) -> None:
    engine = GatedEngine()
    engine.open()
    with serving(places, engine) as served:
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "done")
        before = served.store.work.speeds()
        served.drop("again/a.txt", "Hello.")
        served.until_state("again/a", "done")
        assert served.store.work.speeds() == before
