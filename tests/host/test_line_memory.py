"""Where memory runs out: less at once, then nothing beside it, then a wait; and an end to each."""

from __future__ import annotations

import pytest

from cbtui.core.task import ModelName
from cbtui.engine.base import ChunkRequest, OutOfMemory
from cbtui.engine.cache import ModelKey
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import Answer, FakeEngine, speak


class RoomyEngine(FakeEngine):
    """Needs memory for `batch` chunks of a text that is large, beside `models` others; has what `fits` allows."""

    def __init__(self) -> None:
        super().__init__(self._answer_if_it_fits)
        self.batch = 8
        self.tried: list[tuple[int, int]] = []
        self.fits = 1, 0
        self.others = lambda: 0

    def _answer_if_it_fits(self, request: ChunkRequest) -> Answer:
        if "large" in request.text:
            now = self.batch, self.others()
            self.tried.append(now)
            if now[0] > self.fits[0] or now[1] > self.fits[1]:
                raise OutOfMemory("out of memory on fake.")
        return speak(request)


@pytest.fixture
def engine() -> RoomyEngine:
    return RoomyEngine()


def hold_models(served: Served, engine: RoomyEngine, *models: ModelName) -> None:
    """Have the cache hold something in the place of these models."""
    for model in models:
        key = ModelKey(model, "cpu", "r")
        served.engines.models.get(key, label="fake", load=object, measure=lambda model: 1)
    engine.others = lambda: len(served.engines.loaded_models() - {"chatterbox/english"})


def drop_large(served: Served, name: str = "a", more: str = "") -> None:
    served.drop(f"{name}.yaml", f"{more}text: A large one, {name}.\n")


def test_less_is_rendered_at_once_until_it_fits(places: Places, engine: RoomyEngine) -> None:
    engine.fits = 2, 9
    with serving(places, engine) as served:
        hold_models(served, engine, "english", "turbo")
        drop_large(served)
        row = served.until_state("jobs/a", "done")
        assert (row.attempts, [batch for batch, _ in engine.tried]) == (0, [8, 4, 2])
        assert served.engines.loaded_models() == {"chatterbox/english", "chatterbox/turbo"}
        served.until_told("memory", "jobs/a", "Going on with 2 chunks at once.")


def test_then_the_other_models_make_room_and_the_needed_one_stays(places: Places, engine: RoomyEngine) -> None:
    with serving(places, engine) as served:
        hold_models(served, engine, "english", "turbo", "multilingual")
        drop_large(served)
        served.until_state("jobs/a", "done")
        assert engine.tried == [(8, 2), (4, 2), (2, 2), (1, 2), (1, 0)]
        assert served.engines.loaded_models() == {"chatterbox/english"}
        served.until_told("memory", "jobs/a", "Going on with 2 other models unloaded.")


def test_where_nothing_helps_the_task_waits_and_smaller_ones_go_on(places: Places, engine: RoomyEngine) -> None:
    engine.fits = 0, 0
    with serving(places, engine) as served:
        hold_models(served, engine, "english", "turbo")
        drop_large(served)
        row = served.until_state("jobs/a", "blocked")
        assert (row.reason, row.attempts) == ("out of memory on fake.", 0)
        assert engine.tried == [(8, 1), (4, 1), (2, 1), (1, 1), (1, 0)]
        served.drop("b.txt", "Small.")
        served.until_state("jobs/b", "done")
        assert served.state("jobs/a") == "blocked"


def test_a_task_that_waits_for_memory_is_tried_again_once_each_time(
    places: Places, engine: RoomyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cbtui.host.blocks._PATIENCE", {"memory": (0.05, 0.1)})
    engine.fits = 0, 0
    with serving(places, engine) as served:
        drop_large(served)
        served.until(lambda: len(engine.tried) >= 7, "tried again")
        assert engine.tried[:7] == [(8, 0), (4, 0), (2, 0), (1, 0), (1, 0), (1, 0), (1, 0)]
        engine.fits = 1, 0
        row = served.until_state("jobs/a", "done")
        assert (row.attempts, len(served.finals("jobs/a"))) == (0, 1)


def test_a_fresh_run_that_ran_out_of_memory_is_one_run(places: Places, engine: RoomyEngine) -> None:
    engine.fits = 9, 0
    with serving(places, engine) as served:
        drop_large(served)
        served.until_state("jobs/a", "done")
        engine.fits = 1, 0
        served.ask("retry", tasks=["a"], fresh=True)
        served.until(lambda: len(served.finals("jobs/a")) == 2, "a second run")
        row = served.until_state("jobs/a", "done")
        assert (row.fresh, len([*(places.output / "jobs/a").glob("2*")])) == (False, 2)


def test_takes_made_before_memory_ran_out_are_kept(places: Places, engine: RoomyEngine) -> None:
    with serving(places, engine) as served:
        served.drop(
            "a.yaml", "chunking: {target: 40, limit: 60}\ntext: |\n  A small one first of all.\n\n  Then a large one.\n"
        )
        row = served.until_state("jobs/a", "done")
        assert row.result
        assert (engine.texts.count("A small one first of all."), engine.texts.count("Then a large one.")) == (1, 4)
