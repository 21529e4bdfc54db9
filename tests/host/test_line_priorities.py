"""What is more urgent takes the line at the next chunk border, and what made way loses nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from cbtui.engine.cache import ModelKey
from tests.host.serving import Served
from tests.support.gated_engine import GatedEngine

THREE_CHUNKS = """
chunking: {target: 40, limit: 60}
text: |
  NAME is the first sentence of it.

  NAME is the second sentence of it.

  NAME is the third sentence of it.
"""


@pytest.fixture
def engine() -> GatedEngine:
    return GatedEngine()


def begin(served: Served, engine: GatedEngine, task: str = "a", settings: str = "") -> None:
    """Have a task of three chunks under way, its first chunk not finished."""
    served.drop(f"{task}.yaml", settings + THREE_CHUNKS.replace("NAME", task))
    served.until(lambda: any(text.startswith(f"{task} is the first") for text in engine.begun), "begun")


def queue_up(served: Served, *tasks: str) -> None:
    for task in tasks:
        served.drop(f"{task}.txt", f"{task} has one sentence.")
        served.until_state(f"jobs/{task}", "queued")


def beginnings(engine: GatedEngine) -> list[str]:
    return [text[: len("a is the f")].strip() for text in engine.texts]


def test_a_waiting_task_made_urgent_goes_first_at_the_next_chunk_border(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    queue_up(served, "b", "c")
    assert served.ask("priority", tasks=["c"], to=3).state == "done"
    engine.let(2)
    served.until_state("jobs/c", "done")
    assert served.state("jobs/b") == "queued"
    engine.open()
    served.until_idle()
    assert beginnings(engine) == ["a is the f", "c has one", "a is the s", "a is the t", "b has one"]


def test_lowering_what_is_rendered_lets_the_others_go_first(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    queue_up(served, "b")
    served.ask("priority", tasks=["a"], by=-1)
    engine.let(2)
    served.until_state("jobs/b", "done")
    engine.open()
    served.until_state("jobs/a", "done")
    assert beginnings(engine) == ["a is the f", "b has one", "a is the s", "a is the t"]


def test_an_equal_priority_interrupts_nothing(served: Served, engine: GatedEngine) -> None:
    begin(served, engine, settings="priority: 2\n")
    queue_up(served, "b")
    served.ask("priority", tasks=["b"], to=2)
    engine.open()
    served.until_idle()
    assert beginnings(engine) == ["a is the f", "a is the s", "a is the t", "b has one"]


def test_to_make_way_counts_as_no_attempt_and_makes_no_take_twice(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    for number in range(2):
        queue_up(served, f"urgent{number}")
        served.ask("priority", tasks=[f"urgent{number}"], to=5 + number)
        engine.let(2)
        served.until_state(f"jobs/urgent{number}", "done")
    row = served.until_state("jobs/a", "rendering")
    assert (row.attempts, row.deaths) == (0, 0)
    engine.open()
    row = served.until_state("jobs/a", "done")
    assert (row.attempts, len(served.finals("jobs/a"))) == (0, 1)
    assert max(Counter(engine.texts).values()) == 1


def test_to_make_way_leaves_the_model_where_it_is(served: Served, engine: GatedEngine) -> None:
    key = ModelKey("english", "cpu", "r")
    served.engines.models.get(key, label="fake", load=object, measure=lambda model: 1)
    begin(served, engine)
    queue_up(served, "urgent")
    served.ask("priority", tasks=["urgent"], to=9)
    engine.let(2)
    served.until_state("jobs/urgent", "done")
    engine.open()
    served.until_state("jobs/a", "done")
    assert (served.engines.loaded_models(), engine.loads) == ({"chatterbox/english"}, 0)
    assert served.engines.models.info().misses == 1


def test_what_is_urgent_no_more_interrupts_nothing(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    queue_up(served, "b")
    served.ask("priority", tasks=["b"], to=5)
    served.ask("cancel", tasks=["b"])
    engine.open()
    served.until_state("jobs/a", "done")
    assert beginnings(engine) == ["a is the f", "a is the s", "a is the t"]
    assert served.store.tasks.get("jobs/a").attempts == 0


def test_a_priority_that_is_no_number_is_refused(served: Served) -> None:
    served.ask("pause")
    queue_up(served, "a")
    for arguments in ({"to": True}, {"to": "5"}, {"to": 1.5}, {"by": False}, {}):
        answer = served.ask("priority", tasks=["a"], **arguments)
        assert (answer.state, "whole number" in answer.answer) == ("refused", True)
    assert "bits" in served.ask("priority", tasks=["a"], to=2**70).answer
    assert served.store.tasks.get("jobs/a").priority == 0


def test_a_task_named_twice_is_moved_up_once(served: Served) -> None:
    served.ask("pause")
    queue_up(served, "a")
    served.ask("priority", tasks=["a", "jobs/a", "jobs/*"], by=1)
    assert served.store.tasks.get("jobs/a").priority == 1
