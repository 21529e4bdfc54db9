"""The screen of the models, over a host whose engines can be held while they load."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import OptionList

from cbtui.core.events import CacheEvent, EventSink, Noticed
from cbtui.core.task import ModelName
from cbtui.engine.cache_log import CacheLog
from cbtui.host.live import LiveFile
from cbtui.host.lock import HostLock
from cbtui.host.store import open_store, store_path
from cbtui.paths import Places
from cbtui.settings import Settings
from cbtui.tui.app import Options
from cbtui.tui.screens.models import ModelsScreen
from cbtui.tui.screens.queue import QueueScreen
from tests.support.fake_engine import FakeEngine
from tests.support.gated_engine import GatedEngine
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio


class SlowToLoad(FakeEngine):
    """Loads once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_load = threading.Event()

    def load(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        emit(Noticed("Downloading", doing="downloading turbo: [red]t3.safetensors: 5 of 10 MB"))
        self.may_load.wait(20)
        super().load(emit=emit, should_stop=should_stop)


def lines_of(shown: Screened, model: ModelName) -> str:
    """The line of a model, and the one below it."""
    lines = shown.text().splitlines()
    at = next((number for number, line in enumerate(lines) if line.strip("│ ").startswith(model)), None)
    return "" if at is None else "\n".join(lines[at : at + 2])


def write_live(places: Places, **facts: object) -> None:
    LiveFile.of(places).write({"at": 1.0, "models": [], **facts})


async def test_what_is_loaded_is_told_with_what_it_takes(places: Places) -> None:
    CacheLog(places.cache_log).append(CacheEvent("model", "turbo@cuda", hit=False, seconds=4.0))
    with open_store(store_path(places)).store:
        lock = HostLock(places)
        lock.take()
        models = [{"model": "english@cuda", "bytes": 3_100_000_000, "load_seconds": 8.25}]
        memory = {"at": 1.0, "device": "cuda", "gpu": "[red]H100[/]", "total_bytes": 80e9, "free_bytes": 70e9}
        memory |= {"process_rss_bytes": 1}
        write_live(places, models=models, memory=memory)
        async with screened(places, host=False, size=(60, 20)) as shown:
            await shown.press("m")
            await shown.until(
                lambda: "loaded on cuda, 3.1 GB, in 8.2 s" in lines_of(shown, "english"), "what is loaded"
            )
            await shown.until(lambda: "the last loading took 4.0 s" in lines_of(shown, "turbo"), "the last loading")
            assert "not loaded" in lines_of(shown, "multilingual")
            assert "[red]H100[/], 70.0 GB of 80.0 GB free" in shown.text()
        lock.release()


async def test_where_a_checkpoint_lies_or_what_would_be_downloaded(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda repository, name: None)
    async with screened(places, host=False) as shown:
        await shown.press("m")
        await shown.until(lambda: "ResembleAI/chatterbox-turbo" in lines_of(shown, "turbo"), "the hub's name")
        assert "will be downloaded, about 3.2 GB, from ResembleAI/chatterbox" in lines_of(shown, "english")


async def test_a_model_folder_is_looked_into(places: Places, tmp_path: Path) -> None:
    folder = tmp_path / "[red]models"
    folder.mkdir()
    settings = Settings(model_dir=str(folder))
    async with screened(places, host=False, size=(200, 30), options=Options(rate=20.0, settings=settings)) as shown:
        await shown.press("m")
        await shown.until(lambda: f"{folder} lacks" in lines_of(shown, "english"), "what is missing")


async def test_enter_loads_and_u_unloads_the_one_under_the_cursor(places: Places) -> None:
    engines: dict[ModelName, SlowToLoad] = {name: SlowToLoad() for name in ("english", "multilingual", "turbo")}
    async with screened(places, lambda model: engines[model]) as shown:
        await shown.press("m", "down", "down", "enter")
        await shown.until(lambda: "downloading turbo: [red]t3.saf" in lines_of(shown, "turbo"), "how far it is")
        assert "downloading" not in lines_of(shown, "english")
        engines["turbo"].may_load.set()
        await shown.until(lambda: "turbo is loaded" in shown.text(), "the answer")
        await shown.until(lambda: "downloading" not in lines_of(shown, "turbo"), "the end of it")
        assert [engine.loads for engine in engines.values()] == [0, 0, 1]
        await shown.press("u")
        await shown.until(lambda: "no such model was loaded" in shown.text(), "the answer")


async def test_a_click_moves_the_cursor_and_loads_nothing(places: Places) -> None:
    engine = FakeEngine()
    async with screened(places, engine) as shown:
        await shown.press("m")
        listed = shown.app.screen.query_one(OptionList)
        await shown.pilot.click(OptionList, offset=(5, 3))
        await shown.until(lambda: listed.highlighted == 1, "the cursor")
        await shown.press("u")
        await shown.until(lambda: "no such model was loaded" in shown.text(), "the next answer")
        assert engine.loads == 0


async def test_loading_that_must_wait_says_for_what(places: Places) -> None:
    engine = GatedEngine()
    async with screened(places, engine) as shown:
        (places.jobs / "a.txt").write_text("Hello.")
        await shown.until(lambda: shown.snapshot.live.get("rendering"), "the rendering")
        await shown.press("m", "enter")
        await shown.until(lambda: "once jobs/a is finished or paused" in shown.text(), "the notice")
        engine.open()
        await shown.until(lambda: "english is loaded" in shown.text(), "the answer")


async def test_without_a_host_it_waits_for_one(places: Places) -> None:
    async with screened(places, host=False) as shown:
        await shown.press("m", "enter")
        await shown.until(lambda: "it waits for the next one" in shown.text(), "the answer")
        assert "no host" in shown.text()


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_keys_lead_back(places: Places, key: str) -> None:
    async with screened(places, host=False) as shown:
        await shown.press("m")
        await shown.until(lambda: isinstance(shown.app.screen, ModelsScreen), "the models")
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
