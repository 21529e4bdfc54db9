"""A device that does nothing more in this process: the process is replaced, and what kills it is put aside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cbtui.engine.base import ChunkRequest, DeviceLost
from cbtui.host.store import attach_store, store_path
from cbtui.paths import Places
from tests.host.serving import DEADLINE, Served, serving
from tests.support.fake_engine import Answer, FakeEngine, speak
from tests.support.fake_host import places_in
from tests.support.gated_engine import GatedEngine

ROOT = Path(__file__).parents[2]
TEXT = "\n\n".join(f"  {name} of this text." for name in "ABCD")
CHUNKS = f"chunking: {{target: 40, limit: 60}}\ntext: |\n{TEXT}\n"
DEADLY = CHUNKS.replace("C of", "C is deadly, of")


def lose_at(word: str) -> Callable[[ChunkRequest], Answer]:
    def answer(request: ChunkRequest) -> Answer:
        if word in request.text:
            raise DeviceLost("the device cuda failed.")
        return speak(request)

    return answer


def until_restart_wanted(served: Served) -> None:
    assert served.host.wait(DEADLINE)
    assert served.host.restart_wanted


def test_a_lost_device_counts_as_a_death_and_the_next_process_goes_on(places: Places) -> None:
    with serving(places, FakeEngine(lose_at("deadly"))) as served:
        served.drop("a.yaml", DEADLY)
        until_restart_wanted(served)
        row = served.store.tasks.get("jobs/a")
        assert (row.state, row.deaths, row.reason) == ("queued", 1, "interrupted: the device cuda failed.")
        served.until_told("failed", "jobs/a", "cbtui starts itself anew")
    engine = FakeEngine()
    with serving(places, engine) as served:
        row = served.until_state("jobs/a", "done")
        assert (engine.texts, row.deaths) == (["C is deadly, of this text.", "D of this text."], 0)


def test_whoever_waits_without_a_limit_hears_of_it_too(places: Places) -> None:
    with serving(places, FakeEngine(lose_at("deadly"))) as served:
        served.drop("a.yaml", DEADLY)
        assert served.host.wait(None)
        assert served.host.restart_wanted


def test_the_third_loss_at_one_chunk_quarantines_and_the_rest_goes_on(places: Places) -> None:
    for deaths in (1, 2, 3):
        with serving(places, FakeEngine(lose_at("deadly"))) as served:
            if deaths == 1:
                served.drop("a.yaml", DEADLY)
            until_restart_wanted(served)
            assert served.store.tasks.get("jobs/a").deaths == deaths
    assert "quarantined" in [entry.kind for entry in served.told]
    engine = FakeEngine(lose_at("deadly"))
    with serving(places, engine) as served:
        served.drop("b.txt", "Fine.")
        served.until_state("jobs/b", "done")
        row = served.store.tasks.get("jobs/a")
        assert row.state == "quarantined"
        assert row.reason.endswith("3 times while rendering it, the last time because the device cuda failed.")
        assert engine.texts == ["Fine."]
        assert not served.host.restart_wanted


def test_deaths_are_forgotten_once_a_chunk_was_finished_in_between(places: Places) -> None:
    for word in "DCBA":
        with serving(places, FakeEngine(lose_at(f"{word} of"))) as served:
            if word == "D":
                served.drop("a.yaml", CHUNKS)
            until_restart_wanted(served)
            (run,) = (places.output / "jobs/a").glob("2*")
            for take in run.glob("chunks/*"):
                take.unlink()
            row = served.store.tasks.get("jobs/a")
            # At the first chunk nothing was finished since the death before.
            assert (row.state, row.deaths) == ("queued", 2 if word == "A" else 1)


@pytest.mark.parametrize(("verb", "after"), [("cancel", "cancelled"), ("pause", "paused"), ("remove", None)])
def test_a_device_lost_with_a_task_that_is_not_wanted_leaves_it_where_it_was_put(
    places: Places, verb: str, after: str | None
) -> None:
    engine = GatedEngine(lose_at("deadly"))
    # Deaf to the wish to stop, as in the middle of a call of the library.
    render = engine.render
    engine.render = lambda requests, **options: render(requests, emit=options["emit"], should_stop=lambda: False)  # type: ignore[method-assign,assignment]
    with serving(places, engine) as served:
        served.drop("a.txt", "This is deadly.")
        served.until(lambda: engine.begun, "begun")
        served.ask("cancel" if verb == "remove" else verb, tasks=["a"])
        if verb == "remove":
            served.ask("remove", tasks=["a"])
        engine.open()
        until_restart_wanted(served)
        assert served.state("jobs/a") == after


@contextmanager
def fake_host(places: Places, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.fake_host", str(places.jobs.parent), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as host:
        try:
            yield host
        except BaseException:
            host.kill()
            raise
        host.send_signal(signal.SIGTERM)
        assert host.wait(DEADLINE) == 128 + signal.SIGTERM


def entries(host: subprocess.Popen[str], until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """What a host tells, up to the entry that was waited for."""
    assert host.stdout is not None
    deadline, told = time.monotonic() + DEADLINE, []
    for line in host.stdout:
        told.append(json.loads(line))
        if until(told[-1]):
            return told
        assert time.monotonic() < deadline, told[-20:]
    raise AssertionError(f"the host ended: {told[-20:]}")


def is_done(task: str) -> Callable[[dict[str, Any]], bool]:
    return lambda entry: entry["event"] == "done" and entry.get("task") == task


def write(places: Places, name: str, content: str) -> None:
    places.jobs.mkdir(exist_ok=True)
    (places.jobs / name).write_text(content)


def test_a_process_that_lost_its_device_replaces_itself_and_finishes_the_task(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    write(places, "a.yaml", DEADLY)
    with fake_host(places, "--lose-device-at=deadly", "--lose-times=1") as host:
        told = entries(host, is_done("jobs/a"))
        assert [entry["event"] for entry in told].count("started") == 2
        with attach_store(store_path(places)) as store:
            row = store.tasks.get("jobs/a")
            assert (row.state, row.result and row.result.rendered) == ("done", 2)
        assert host.poll() is None


def test_a_process_replaces_itself_no_more_than_three_times_for_one_chunk(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    write(places, "a.yaml", DEADLY)
    write(places, "b.yaml", "priority: -1\ntext: Fine.\n")
    with fake_host(places, "--lose-device-at=deadly") as host:
        told = entries(host, is_done("jobs/b"))
        assert [entry["event"] for entry in told].count("started") == 4
        assert (tmp_path / "device-lost").read_text() == "xxx"
        with attach_store(store_path(places)) as store:
            assert store.tasks.get("jobs/a").state == "quarantined"
        assert host.poll() is None
