"""Loading and unloading models by command, and letting go of them when there is no work."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from cbtui.core.events import EventSink
from cbtui.engine.base import DeviceLost, EngineUnavailable, PreparationStopped
from cbtui.engine.cache import ModelKey
from cbtui.host.options import HostOptions
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.gated_engine import GatedEngine


class LoadingEngine(GatedEngine):
    """Loading does what a test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.on_load: Callable[[], None] = lambda: None
        self.loading = threading.Event()

    def load(self, *, emit: EventSink, should_stop: Callable[[], bool]) -> None:
        super().load(emit=emit, should_stop=should_stop)
        self.loading.set()
        self.on_load()


class Panic(BaseException):
    """As a library of Rust raises it."""


def failing(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def hold_model(served: Served, model: str = "english") -> None:
    """Have the cache hold something in a model's place."""
    key = ModelKey(model, "cpu", "r")  # type: ignore[arg-type]
    served.engines.models.get(key, label="fake", load=object, measure=lambda model: 1)


@pytest.fixture
def engine() -> LoadingEngine:
    return LoadingEngine()


def test_a_model_is_loaded_before_a_task_needs_it(served: Served, engine: LoadingEngine) -> None:
    command = served.ask("load", model="turbo")
    assert (command.state, command.answer, engine.loads) == ("done", "turbo is loaded", 1)


def test_a_model_is_loaded_between_two_tasks(served: Served, engine: LoadingEngine) -> None:
    served.drop("a.txt", "Hello.")
    served.until(lambda: engine.begun, "begun")
    number = served.store.commands.post("load", {"model": "turbo"})
    assert served.ask("pause", tasks=["none"]).state == "refused"
    command = served.store.commands.get(number)
    assert command is not None
    assert (command.state, engine.loads) == ("waiting", 0)
    engine.open()
    served.until(lambda: engine.loads, "loaded")
    command = served.store.commands.wait(number, seconds=20)
    assert command is not None
    assert command.state == "done"


def test_a_model_that_there_is_not_is_not_loaded(served: Served, engine: LoadingEngine) -> None:
    reasons = {"large": "there is no model 'large'", None: "load which model?", 1: "there is no model 1"}
    for model, reason in reasons.items():
        command = served.ask("load", model=model)
        assert (command.state, reason in command.answer) == ("refused", True)
    assert engine.loads == 0


def test_a_load_that_fails_is_answered_and_the_line_goes_on(served: Served, engine: LoadingEngine) -> None:
    engine.open()
    for error in (EngineUnavailable("files are missing"), RuntimeError("unforeseen"), Panic("of a library")):
        engine.on_load = failing(error)
        command = served.ask("load", model="turbo")
        assert (command.state, str(error) in command.answer) == ("refused", True)
    served.drop("a.txt", "Hello.")
    served.until_state("jobs/a", "done")


def test_a_device_lost_while_loading_is_answered_and_asks_for_a_new_process(
    places: Places, engine: LoadingEngine
) -> None:
    engine.on_load = failing(DeviceLost("the device cuda failed."))
    with serving(places, engine) as served:
        number = served.store.commands.post("load", {"model": "turbo"})
        assert served.host.wait(20)
        assert served.host.restart_wanted
        served.host.stop()
        command = served.store.commands.get(number)
        assert command is not None
        assert (command.state, command.answer) == ("refused", "the device cuda failed.")


def test_a_load_that_a_stop_interrupts_is_left_to_the_next_host(places: Places, engine: LoadingEngine) -> None:
    with serving(places, engine) as served:
        stopped = served.host._line.should_stop

        def wait_for_the_end() -> None:
            served.until(stopped, "the host stops")
            raise PreparationStopped

        engine.on_load = wait_for_the_end
        number = served.store.commands.post("load", {"model": "turbo"})
        assert engine.loading.wait(20)
    engine.on_load = lambda: None
    with serving(places, engine) as served:
        command = served.store.commands.wait(number, seconds=20)
        assert command is not None
        assert (command.state, engine.loads) == ("done", 2)


def test_a_load_that_waits_does_not_hold_up_a_stop_after_the_chunk(places: Places, engine: LoadingEngine) -> None:
    with serving(places, engine) as served:
        served.drop("a.txt", "Hello.")
        served.until(lambda: engine.begun, "begun")
        number = served.store.commands.post("load", {"model": "turbo"})
        served.ask("stop", after_chunk=True)
        engine.open()
        assert served.host.wait(20)
        command = served.store.commands.get(number)
        assert command is not None
        assert (command.state, engine.loads) == ("waiting", 0)


def test_a_hundred_loads_that_wait_stand_before_no_other_command(served: Served, engine: LoadingEngine) -> None:
    served.drop("a.txt", "Hello.")
    served.until(lambda: engine.begun, "begun")
    with served.store.transaction():
        for _ in range(150):
            served.store.commands.post("load", {"model": "english"})
    assert served.ask("cancel", tasks=["a"]).state == "done"
    served.until(lambda: not served.store.commands.waiting(), "all are answered")
    assert engine.loads == 150


def test_unloading_names_a_model_or_none(served: Served) -> None:
    hold_model(served, "english")
    hold_model(served, "turbo")
    assert served.ask("unload", model="english").answer == "1 unloaded"
    assert served.ask("unload", model="english").answer == "no such model was loaded"
    assert served.ask("unload").answer == "1 unloaded"
    assert served.engines.loaded_models() == frozenset()
    assert served.ask("unload", model="large").state == "refused"


def test_models_leave_the_memory_after_a_while_without_work(places: Places, engine: LoadingEngine) -> None:
    with serving(places, engine, options=HostOptions(idle_unload=0.2)) as served:
        served.drop("a.txt", "Hello.")
        served.until(lambda: engine.begun, "begun")
        hold_model(served)
        engine.open()
        served.until_state("jobs/a", "done")
        served.until_told("model", text="unloaded chatterbox/english after 0 s without work")
        assert served.engines.loaded_models() == frozenset()


def test_a_model_loaded_by_hand_stays_for_as_long_as_one_that_worked(places: Places, engine: LoadingEngine) -> None:
    with serving(places, engine, options=HostOptions(idle_unload=1000.0)) as served:
        line = served.host._line
        line._worked_at -= 2000.0
        engine.on_load = lambda: hold_model(served)
        served.ask("load", model="english")
        for _ in range(3):
            served.ask("unload", model="turbo")
        assert served.engines.loaded_models() == {"chatterbox/english"}


def test_without_the_setting_models_stay(served: Served, engine: LoadingEngine) -> None:
    hold_model(served)
    served.host._line._worked_at -= 1e9
    served.ask("unload", model="turbo")
    assert served.engines.loaded_models() == {"chatterbox/english"}
