"""A screen on which nothing happens sends nothing: people leave it open for days, over slow lines."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from cbtui.host.monitor import Monitor, Sample
from cbtui.paths import Places
from cbtui.tui.widgets.memory_graph import MemoryGraph
from cbtui.tui.words import Words
from tests.tui.pictured import live
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio

IDLE = Sample(0.0, "cuda", 3_000_000_000, "a GPU", 24_000_000_000, 7_300_000_000, 2_100_000_000, 14_600_000_000, 3, 41)
READINGS = 2


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the driver is given to write, as a driver with a terminal is."""
    written: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "is_headless", property(lambda driver: False))
    monkeypatch.setattr(HeadlessDriver, "write", lambda driver, data: written.append(data))
    return written


@pytest.fixture(autouse=True)
def idle_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU whose figures are never twice the same, and never far from each other."""
    noise = itertools.cycle((0, 1, -1))

    def sample(monitor: Monitor) -> Sample:
        by = next(noise)
        return replace(IDLE, at=time.time(), used_by_others=2_100_000_000 + by * 60_000_000, temperature=41 + by)

    monkeypatch.setattr(Monitor, "sample", sample)


async def several_readings(shown: Screened) -> None:
    for _ in range(READINGS):
        last = shown.snapshot.live["at"]
        await shown.until(lambda last=last: shown.snapshot.live["at"] != last, "a reading")
    await shown.pilot.pause()


async def until_settled(shown: Screened, sent: list[str]) -> None:
    """Until one reading brought nothing any more."""
    while True:
        before, last = len(sent), shown.snapshot.live["at"]
        await shown.until(lambda last=last: shown.snapshot.live["at"] != last, "a reading")
        await shown.pilot.pause()
        if len(sent) == before:
            return


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
async def test_the_queue_at_rest_sends_nothing(places: Places, sent: list[str], size: tuple[int, int]) -> None:
    async with screened(places, size=size) as shown:
        (places.jobs / "a.txt").write_text("Hello there.")
        mistakes = "".join(f"  speaker{number}: {{exageration: 0.5}}\n" for number in range(6))
        (places.jobs / "b.yaml").write_text(f"speakers:\n{mistakes}")
        await shown.until_state("jobs/a", "done")
        await shown.until_state("jobs/b", "invalid")
        await shown.until(lambda: not shown.snapshot.live.get("rendering"), "the end of it")
        # The task's part of the screen is of another height for each of them.
        for key in "Gg":
            await shown.press(key)
            await until_settled(shown, sent)
            sent.clear()
            await several_readings(shown)
            assert "".join(sent) == ""


def at(seconds: float, *, busy: bool = False, **memory: Any) -> dict[str, Any]:
    told = live(seconds)
    return {**told, "rendering": ["book/one"] if busy else [], "memory": {**told["memory"], **memory}}


@pytest.mark.parametrize(
    ("change", "is_taken"),
    [
        ({}, False),
        ({"utilisation_percent": 90}, False),
        ({"utilisation_percent": 3}, True),
        ({"temperature_celsius": 58}, True),
        ({"used_by_others_bytes": 2_200_000_000}, False),
        ({"used_by_us_bytes": 500_000_000}, True),
        ({"total_bytes": 12_000_000_000}, True),
    ],
)
async def test_at_rest_the_memory_moves_with_what_can_be_seen(change: dict[str, int], is_taken: bool) -> None:
    graph = MemoryGraph(Words())
    graph.show(at(0.0, busy=True))
    graph.show(at(10.0, **change))
    assert len(graph._samples) == 1 + is_taken


async def test_under_way_the_memory_moves_with_time() -> None:
    graph = MemoryGraph(Words())
    for second in range(11):
        graph.show(at(float(second), busy=True))
    assert len(graph._samples) == 3
