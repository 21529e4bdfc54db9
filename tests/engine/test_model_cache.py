"""The model cache: one load per process and key, whoever asks; it says what it does and what that saved."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cbtui import ChatterboxModelCache
from cbtui.core.events import CacheEvent, Event, Noticed
from cbtui.engine.base import EngineUnavailable
from cbtui.engine.cache import ModelCache, ModelKey

KEY = ModelKey("english", "cuda", "abc")


def get(
    cache: ModelCache, key: ModelKey = KEY, *, events: list[Event] | None = None, loads: list[str] | None = None
) -> object:
    def load() -> object:
        if loads is not None:
            loads.append(str(key))
        return object()

    heard = [] if events is None else events
    return cache.get(key, label="ChatterboxTTS", load=load, measure=lambda model: 3_000, emit=heard.append)


def test_the_second_look_up_gives_the_same_model() -> None:
    cache, loads = ModelCache(), []
    assert get(cache, loads=loads) is get(cache, loads=loads)
    assert loads == ["english@cuda"]


def test_model_device_and_checkpoint_each_make_a_key() -> None:
    cache = ModelCache()
    keys = [
        KEY,
        ModelKey("turbo", "cuda", "abc"),
        ModelKey("english", "cpu", "abc"),
        ModelKey("english", "cuda", "def"),
    ]
    assert len({id(get(cache, key)) for key in keys}) == 4


def test_two_callers_at_once_make_one_load() -> None:
    cache, loads, both_there = ModelCache(), [], threading.Barrier(8)

    def call() -> object:
        both_there.wait()
        return get(cache, loads=loads)

    with ThreadPoolExecutor(8) as pool:
        models = [future.result() for future in [pool.submit(call) for _ in range(8)]]
    assert len(loads) == 1
    assert len({id(model) for model in models}) == 1


def test_a_load_of_one_key_does_not_hold_up_another() -> None:
    cache, loading, release = ModelCache(), threading.Event(), threading.Event()

    def slow() -> object:
        loading.set()
        assert release.wait(10)
        return object()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.get, KEY, label="slow", load=slow, measure=lambda model: 1)
        assert loading.wait(10)
        get(cache, ModelKey("turbo", "cuda", "abc"))
        release.set()
        first.result(10)


def test_a_failed_load_is_not_cached() -> None:
    cache = ModelCache()

    def fail() -> object:
        raise EngineUnavailable("no room")

    with pytest.raises(EngineUnavailable, match="no room"):
        cache.get(KEY, label="ChatterboxTTS", load=fail, measure=lambda model: 1)
    assert cache.info().keys == ()
    assert get(cache) is get(cache)


def test_the_log_reads_as_people_know_it() -> None:
    cache, events = ModelCache(), []
    get(cache, events=events)
    get(cache, events=events)
    loading, loaded, hit = events
    assert loading == Noticed("Loading ChatterboxTTS english for device: cuda (cache miss)")
    assert loaded.message == "Model loaded in 0.0s and cached for future use in this session"
    assert hit.message == "Using cached ChatterboxTTS english for device: cuda (cache hit, originally loaded in 0.0s)"
    assert isinstance(loaded, CacheEvent)
    assert (loaded.hit, hit.hit) == (False, True)
    assert hit.saved == loaded.seconds > 0


def test_info_counts_hits_misses_seconds_and_bytes() -> None:
    cache = ModelCache()
    for _ in range(3):
        get(cache)
    info = cache.info()
    assert (info.keys, info.hits, info.misses, info.bytes_held) == (("english@cuda",), 2, 1, 3_000)
    assert info.seconds_saved == pytest.approx(2 * info.load_seconds["english@cuda"])


def test_a_peek_is_no_look_up() -> None:
    cache = ModelCache()
    assert cache.peek(KEY) is None
    model = get(cache)
    assert cache.peek(KEY) is model
    assert (cache.info().hits, cache.info().misses) == (0, 1)


def test_discard_takes_the_unwanted_and_leaves_the_others() -> None:
    cache, turbo = ModelCache(), ModelKey("turbo", "cuda", "abc")
    kept = get(cache, turbo)
    get(cache)
    assert cache.loaded_keys() == (turbo, KEY)
    assert cache.discard(lambda key: key.model == "english") == 1
    assert cache.loaded_keys() == (turbo,)
    assert get(cache, turbo) is kept
    assert cache.discard(lambda key: key.model == "english") == 0


class Cyclic:
    """Only the collector can free it, as a real model."""

    def __init__(self) -> None:
        self.self = self


@pytest.mark.parametrize("beside", [0, 1])
def test_what_is_discarded_is_gone_though_the_collector_was_told_to_leave_it(beside: int) -> None:
    cache = ModelCache()
    for number in range(beside):
        get(cache, ModelKey("turbo", "cuda", str(number)))
    model = weakref.ref(cache.get(KEY, label="ChatterboxTTS", load=Cyclic, measure=lambda model: 1))
    gc.freeze()
    try:
        assert model() is not None
        cache.discard(lambda key: key == KEY)
        assert model() is None
        # While others stay, the collector is to pass them over again.
        assert (gc.get_freeze_count() > 0) is bool(beside)
    finally:
        gc.unfreeze()


def test_a_lost_device_does_not_hinder_letting_go(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def fail() -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    cache = ModelCache()
    get(cache)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", fail)
    assert cache.clear() == 1


def test_clear_lets_go_and_the_next_look_up_misses() -> None:
    cache, loads = ModelCache(), []
    get(cache, loads=loads)
    assert cache.clear() == 1
    assert cache.info().bytes_held == 0
    get(cache, loads=loads)
    assert len(loads) == 2


def test_the_public_cache_gives_the_librarys_object_once(english_checkpoint: Path) -> None:
    ChatterboxModelCache.clear_cache()
    first = ChatterboxModelCache.get_model("cpu", "english", english_checkpoint)
    assert type(first).__name__ == "ChatterboxTTS"
    assert ChatterboxModelCache.get_model("cpu", "english", english_checkpoint) is first
    info = ChatterboxModelCache.get_cache_info()
    assert info["cached_keys"] == ["english@cpu"]
    assert info["bytes_held"] > 1_000_000_000
    assert "english@cpu" in ChatterboxModelCache.explain_cache_behavior()
    ChatterboxModelCache.clear_cache()
    assert ChatterboxModelCache.get_cache_info()["size"] == 0


def test_a_device_that_is_not_there_is_an_error_that_says_so(english_checkpoint: Path) -> None:
    with pytest.raises(EngineUnavailable, match="there is no device 'tpu'"):
        ChatterboxModelCache.get_model("tpu", "english", english_checkpoint)
