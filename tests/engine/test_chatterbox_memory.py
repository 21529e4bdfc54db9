"""What the chatterbox engine holds, how it is told, and what happens where there is no room for it."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from cbtui.core.events import CacheEvent, Event
from cbtui.engine.base import ChunkResult, EngineUnavailable, OutOfMemory, Vitals
from cbtui.engine.cache import ModelCache, ModelKey
from cbtui.engine.chatterbox import cached_model
from cbtui.engine.chatterbox.cached_model import LoadedModel, get_model
from cbtui.engine.chatterbox.checkpoint import Checkpoint
from cbtui.engine.chatterbox.engine import ChatterboxEngine
from cbtui.engine.voices import VoiceStore
from tests.engine.rendering import QUICK, render, request

TURBO = ModelKey("turbo", "cpu", "abc")


@pytest.fixture
def cache() -> Iterator[ModelCache]:
    cache = ModelCache()
    yield cache
    cache.clear()


@pytest.fixture
def engine(cache: ModelCache, voices: VoiceStore, english_checkpoint: Path) -> ChatterboxEngine:
    return ChatterboxEngine(
        "english", cache=cache, voices=voices, device="cpu", model_dir=english_checkpoint, flow_steps=QUICK
    )


def load(engine: ChatterboxEngine, events: list[Event] | None = None) -> None:
    engine.load(emit=(events if events is not None else []).append, should_stop=lambda: False)


def looked_up(events: list[Event]) -> list[bool]:
    """Whether each look-up for a model hit."""
    return [event.hit for event in events if isinstance(event, CacheEvent) and event.layer == "model"]


class TestHolding:
    def test_a_loaded_model_is_there_for_the_first_request(self, engine: ChatterboxEngine) -> None:
        events: list[Event] = []
        load(engine, events)
        [result] = engine.render([request()], emit=events.append, should_stop=lambda: False)
        assert isinstance(result, ChunkResult)
        assert looked_up(events) == [False, True]

    def test_a_model_that_was_let_go_of_is_gone_with_the_last_chunk_in_work(
        self, engine: ChatterboxEngine, cache: ModelCache
    ) -> None:
        events: list[Event] = []
        stream = engine.render([request(0), request(1)], emit=events.append, should_stop=lambda: False)
        first = next(stream)
        model = weakref.ref(cache.peek(cache.loaded_keys()[0]).model)
        assert cache.clear() == 1
        [second] = stream
        gc.collect()
        assert model() is None
        assert (first.samples == second.samples).all()
        render(engine, [request(2)], events)
        assert looked_up(events) == [False, False]

    def test_hooks_are_counted_while_the_model_is_there(self, engine: ChatterboxEngine, cache: ModelCache) -> None:
        assert engine.vitals() == Vitals()
        load(engine)
        before = engine.vitals().hooks
        model = cache.peek(cache.loaded_keys()[0]).model
        model.t3.register_forward_hook(lambda *rest: None)
        model.s3gen.flow.register_forward_pre_hook(lambda *rest: None)
        assert engine.vitals().hooks == before + 2
        del model
        cache.clear()
        assert engine.vitals().hooks == 0

    def test_a_device_without_memory_of_its_own_has_no_bytes_to_tell(self, engine: ChatterboxEngine) -> None:
        load(engine)
        vitals = engine.vitals()
        assert (vitals.allocated, vitals.reserved, vitals.peak) == (None, None, None)

    def test_the_bytes_are_those_of_the_card_that_the_model_is_on(
        self, voices: VoiceStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stats = {"allocated_bytes.all.current": 10, "reserved_bytes.all.current": 20, "allocated_bytes.all.peak": 15}
        monkeypatch.setattr(torch.cuda, "memory_stats", lambda number: stats if number == 1 else {})
        monkeypatch.setattr("cbtui.engine.chatterbox.device.resolve_device", lambda wanted: wanted)
        monkeypatch.setattr(cached_model, "_load", lambda checkpoint, key, precision: pretended(key))
        monkeypatch.setattr(
            "cbtui.engine.chatterbox.engine.find_checkpoint", lambda *rest, **more: a_checkpoint("english")
        )
        engine = ChatterboxEngine("english", cache=ModelCache(), voices=voices, device="cuda:1", batch=1)
        assert engine.vitals() == Vitals()
        load(engine)
        assert engine.vitals() == Vitals(hooks=0, allocated=10, reserved=20, peak=15)

    def test_vitals_import_nothing(self, english_checkpoint: Path, tmp_path: Path) -> None:
        script = f"""
import sys
from pathlib import Path
from cbtui.engine.base import Vitals
from cbtui.engine.cache import ModelCache
from cbtui.engine.chatterbox.engine import ChatterboxEngine
from cbtui.engine.voices import VoiceStore
voices, folder = VoiceStore(Path({str(tmp_path)!r})), Path({str(english_checkpoint)!r})
engine = ChatterboxEngine("english", cache=ModelCache(), voices=voices, model_dir=folder)
engine.prepare(emit=print, should_stop=lambda: False)
assert engine.vitals() == Vitals()
assert "torch" not in sys.modules
"""
        subprocess.run([sys.executable, "-c", script], check=True)


def a_checkpoint(model: Any) -> Checkpoint:
    return Checkpoint(model, Path("nowhere"), "abc")


def pretended(key: ModelKey) -> LoadedModel:
    parts = {name: torch.nn.Linear(1, 1) for name in ("t3", "s3gen", "ve")}
    return LoadedModel(key, type("Model", (), parts)(), None)


class TestRoom:
    """Loading english where turbo may be loaded already; how loading goes is made up, one step a try."""

    @pytest.fixture
    def tries(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Exception | None]]:
        def plan(*steps: Exception | None) -> list[Exception | None]:
            left = list(steps)

            def one(checkpoint: Checkpoint, key: ModelKey, precision: object) -> LoadedModel:
                error = left.pop(0)
                if error is not None:
                    raise error
                return pretended(key)

            monkeypatch.setattr(cached_model, "_load", one)
            return left

        return plan

    def beside_turbo(self, cache: ModelCache) -> weakref.ref[LoadedModel]:
        held = type("Held", (), {})()
        cache.get(TURBO, label="ChatterboxTurboTTS", load=lambda: held, measure=lambda model: 1)
        return weakref.ref(held)

    def test_others_make_way(self, cache: ModelCache, tries: Callable[..., list[Exception | None]]) -> None:
        turbo = self.beside_turbo(cache)
        tries(torch.OutOfMemoryError("CUDA out of memory."), None)
        assert get_model(cache, a_checkpoint("english"), "cpu").key.model == "english"
        assert [key.model for key in cache.loaded_keys()] == ["english"]
        gc.collect()
        assert turbo() is None

    def test_without_others_there_is_no_second_try(
        self, cache: ModelCache, tries: Callable[..., list[Exception | None]]
    ) -> None:
        left = tries(torch.OutOfMemoryError("CUDA out of memory."), None)
        with pytest.raises(OutOfMemory, match=r"the english model cannot be loaded on cpu, .* --device cpu"):
            get_model(cache, a_checkpoint("english"), "cpu")
        assert left == [None]

    @pytest.mark.parametrize("error", [torch.OutOfMemoryError("no"), RuntimeError("can't allocate memory")])
    def test_too_little_even_alone_is_out_of_memory(
        self, cache: ModelCache, tries: Callable[..., list[Exception | None]], error: Exception
    ) -> None:
        self.beside_turbo(cache)
        left = tries(error, error)
        with pytest.raises(OutOfMemory):
            get_model(cache, a_checkpoint("english"), "cpu")
        assert left == []
        assert cache.loaded_keys() == ()

    def test_what_else_torch_cannot_do_leaves_the_others(
        self, cache: ModelCache, tries: Callable[..., list[Exception | None]]
    ) -> None:
        self.beside_turbo(cache)
        tries(RuntimeError("PytorchStreamReader failed\nC++ stack"))
        with pytest.raises(
            EngineUnavailable, match=r"cannot be loaded on cpu: PytorchStreamReader failed\. See"
        ) as told:
            get_model(cache, a_checkpoint("english"), "cpu")
        assert not isinstance(told.value, OutOfMemory)
        assert cache.loaded_keys() == (TURBO,)
