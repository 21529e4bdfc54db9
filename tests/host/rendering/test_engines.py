"""The engines of a process: made once, and the models they share, which can be let go of by name."""

from __future__ import annotations

import pytest

from cbtui.engine.base import Vitals
from cbtui.engine.cache import ModelCache, ModelKey
from cbtui.engine.chatterbox.probe import DeviceFacts
from cbtui.engine.espeak import EspeakEngine
from cbtui.host.rendering.engines import Engines
from cbtui.paths import Places
from tests.support.fake_engine import make_task


@pytest.fixture
def engines(places: Places) -> Engines:
    """With all three models in memory, as far as the cache knows."""
    cache = ModelCache()
    for model in ("english", "multilingual", "turbo"):
        key = ModelKey(model, "cpu", "abc")  # type: ignore[arg-type]
        cache.get(key, label=model, load=object, measure=lambda loaded: 7)
    return Engines(places, models=cache)


def test_a_task_and_its_model_ask_for_the_same_engine(engines: Engines) -> None:
    turbo = engines.of(make_task("Hi.", model="turbo"))
    assert engines.of_model("chatterbox", "turbo") is turbo
    assert (turbo.name, turbo.model) == ("chatterbox", "turbo")
    assert engines.of_model("chatterbox", "english") is not turbo


def test_espeak_is_one_engine_whatever_the_model(engines: Engines) -> None:
    draft = engines.of_model("espeak", "english")
    assert engines.of(make_task("Hi.", engine="espeak", model="turbo")) is draft


def test_a_model_is_let_go_of_by_name(engines: Engines) -> None:
    assert engines.unload("turbo") == 1
    assert engines.loaded().keys == ("english@cpu", "multilingual@cpu")
    assert engines.loaded().bytes_held == 14
    assert engines.unload("turbo") == 0
    assert engines.unload() == 2
    assert engines.loaded_models() == frozenset()


def test_all_but_what_a_task_needs_are_let_go_of(engines: Engines) -> None:
    assert engines.unload_others(make_task("Hi.", model="turbo")) == 2
    assert engines.loaded_models() == {"chatterbox/turbo"}
    assert engines.unload_others(make_task("Hi.", engine="espeak", model="turbo")) == 1


def test_the_device_is_known_while_something_is_loaded(engines: Engines) -> None:
    assert engines.device_in_use() == DeviceFacts("cpu")
    engines.unload()
    assert engines.device_in_use() is None


def test_room_is_made_in_steps_until_none_is_left(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task("Hi.", model="turbo")
    engines.of(task).batch = 4
    steps = []
    while step := engines.relieve(task):
        steps.append(step)
    assert engines.of(task).batch == 1
    assert engines.loaded_models() == {"chatterbox/turbo"}
    assert len(steps) == 3


def test_the_vitals_are_those_of_the_engine_asked_for_last(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.vitals() == Vitals()
    monkeypatch.setattr(EspeakEngine, "vitals", lambda self: Vitals(hooks=3))
    engines.of_model("espeak", "english")
    assert engines.vitals() == Vitals(hooks=3)
    engines.of_model("chatterbox", "turbo")
    assert engines.vitals() == Vitals()
