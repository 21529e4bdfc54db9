"""The screen of the caches."""

from __future__ import annotations

import pytest

from cbtui.core.events import CacheEvent
from cbtui.engine.cache_log import CacheLog
from cbtui.host.store import open_store, store_path
from cbtui.paths import Places
from cbtui.tui.screens.cache import CacheScreen
from cbtui.tui.screens.queue import QueueScreen
from tests.tui.support import screened

pytestmark = pytest.mark.asyncio

LOAD = CacheEvent("model", "english@cuda", hit=False, seconds=8.0)
VOICES = [
    CacheEvent("voice", "[red]v[/]" * 9, hit=hit, seconds=0 if hit else 2.0, saved=2.0 if hit else 0)
    for hit in (0, 1, 1)
]
CHUNKS = [CacheEvent("chunk", f"{number:04d}" * 10, hit=False, seconds=1.0) for number in range(300)]


def look_up(places: Places, *events: CacheEvent) -> None:
    with open_store(store_path(places)).store as store:
        store.cache_events.append(events)


async def test_sums_and_shares_of_every_layer(places: Places) -> None:
    look_up(places, LOAD, *VOICES, *CHUNKS)
    async with screened(places, host=False) as shown:
        await shown.press("c")
        await shown.until(lambda: "300" in shown.text(), "the sums")
        rows = {line.split()[1]: line.split()[2:] for line in shown.text().splitlines() if len(line.split()) > 6}
        assert rows["model"][:6] == ["0", "1", "0", "%", "8s", "0s"]
        assert rows["voice"][:6] == ["2", "1", "67", "%", "2s", "4s"]
        assert rows["chunk"][:6] == ["0", "300", "0", "%", "5m00", "0s"]
        assert rows["together"][:6] == ["2", "302", "1", "%", "5m10", "4s"]


async def test_keys_show_one_layer_or_all(places: Places) -> None:
    look_up(places, LOAD, *CHUNKS, *VOICES)
    async with screened(places, host=False) as shown:
        await shown.press("c", "1")
        await shown.until(lambda: "english@cuda" in shown.text(), "the models, of more look-ups than are usual")
        assert "0299" not in shown.text()
        await shown.press("2")
        await shown.until(lambda: "[red]v[/][red]v[/]" in shown.text(), "the voices, literally")
        await shown.press("3")
        await shown.until(lambda: "0299" in shown.text() and "[red]" not in shown.text(), "the chunks")
        await shown.press("0")
        await shown.until(lambda: "0299" in shown.text() and "[red]" in shown.text(), "all")


async def test_a_new_look_up_is_seen(places: Places) -> None:
    look_up(places, LOAD)
    async with screened(places, host=False) as shown:
        await shown.press("c")
        await shown.until(lambda: "english@cuda" in shown.text(), "the first")
        look_up(places, CacheEvent("model", "turbo@cuda", hit=False, seconds=1.0))
        await shown.until(lambda: "turbo@cuda" in shown.text(), "the second")


async def test_why_a_new_process_loads_again(places: Places) -> None:
    CacheLog(places.cache_log).append(LOAD)
    async with screened(places, host=False, size=(60, 20)) as shown:
        await shown.press("c")
        assert "A new process always misses once" not in shown.text()
        await shown.press("w")
        await shown.until(lambda: "english@cuda 8.0 s" in shown.text(), "the explanation")
        await shown.press("w")
        await shown.until(lambda: "A new process always misses once" not in shown.text(), "less")


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_keys_lead_back(places: Places, key: str) -> None:
    async with screened(places, host=False) as shown:
        await shown.press("c")
        await shown.until(lambda: isinstance(shown.app.screen, CacheScreen), "the caches")
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
