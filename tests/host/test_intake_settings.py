"""Settings around task files: `job.yaml` of each folder, and the user's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine


@pytest.fixture
def served(places: Places, engine: FakeEngine) -> Iterator[Served]:
    places.config.mkdir(parents=True)
    with serving(places, engine) as served:
        served.drop("own.yaml", "temperature: 0.5\ntext: Own.\n")
        served.drop("plain.yaml", "text: Plain.\n")
        served.drop("sub/deep/own.txt", "---\ntemperature: 0.5\n---\nDeep own.")
        served.drop("sub/deep/plain.txt", "Deep plain.")
        served.until(lambda: served.store.queue.counts()["done"] == 4, "four tasks")
        engine.requests.clear()
        yield served


def settle(served: Served, done: int = 4) -> None:
    served.until(lambda: served.store.queue.counts()["done"] == done, "all are done")


def test_settings_of_a_folder_render_again_what_they_change_and_nothing_else(
    served: Served, engine: FakeEngine
) -> None:
    served.drop("job.yaml", "temperature: 0.7\n")
    served.until(lambda: len(engine.requests) == 2, "two of four")
    settle(served)
    assert sorted(engine.texts) == ["Deep plain.", "Plain."]
    served.drop("sub/deep/job.yaml", "temperature: 0.9\n")
    served.until(lambda: len(engine.requests) == 3, "one below it")
    settle(served)
    assert engine.texts[2] == "Deep plain."
    (served.places.jobs / "sub" / "deep" / "job.yaml").unlink()
    (served.places.jobs / "job.yaml").unlink()
    served.until(lambda: served.kinds("jobs/plain").count("done") == 3, "the old settings")
    settle(served)
    assert not [text for text in engine.texts if "wn." in text]


def test_settings_that_change_no_result_queue_nothing(served: Served, engine: FakeEngine) -> None:
    served.drop("job.yaml", "priority: 7\n")
    served.until(lambda: all(row.priority == 7 for row in served.store.queue.page(limit=9)), "the new priority")
    assert {row.state for row in served.store.queue.page(limit=9)} == {"done"}
    assert engine.requests == []


def test_a_broken_folder_makes_its_tasks_invalid_until_it_is_mended(served: Served, engine: FakeEngine) -> None:
    served.drop("sub/job.yaml", "temperature: hot\nnonsense: 1\n")
    for task in ("sub/deep/own", "sub/deep/plain"):
        row = served.until_state(task, "invalid")
        assert [each.line for each in row.problems] == [1, 2]
        assert str(row.problems[0]).startswith(f"{served.places.jobs}/sub/job.yaml:1:")
    assert (served.state("jobs/own"), served.state("jobs/plain")) == ("done", "done")
    served.drop("sub/job.yaml", "temperature: 0.8\n")
    settle(served)
    assert engine.requests == []


def test_a_folder_that_was_broken_for_a_while_leaves_every_task_where_it_was(
    served: Served, engine: FakeEngine
) -> None:
    served.ask("pause")
    for name in ("queued", "paused", "cancelled"):
        served.drop(f"sub/{name}.yaml", f"priority: 2\ntext: Hello {name}.\n")
        served.until_state(f"sub/{name}", "queued")
    served.ask("pause", tasks=["sub/paused"])
    served.ask("cancel", tasks=["sub/cancelled"])
    served.ask("priority", tasks=["sub/queued"], to=9)
    before = served.store.queue.page(limit=9)
    served.drop("sub/job.yaml", "nonsense: 1\n")
    served.until(lambda: served.store.queue.counts()["invalid"] == 5, "all below are invalid")
    served.drop("sub/job.yaml", "# Nothing.\n")
    served.until(lambda: served.store.queue.counts()["invalid"] == 0, "all are mended")
    after = served.store.queue.page(limit=9)
    assert [(row.id, row.state, row.priority, row.result) for row in after] == [
        (row.id, row.state, row.priority, row.result) for row in before
    ]
    assert served.store.tasks.get("sub/cancelled").reason == "by hand"


def test_settings_of_the_user_count_for_every_task(served: Served, engine: FakeEngine) -> None:
    settings = served.places.user_settings
    settings.write_text("temperature: 0.7\n")
    served.until(lambda: len(engine.requests) == 2, "two of four")
    settle(served)
    assert sorted(engine.texts) == ["Deep plain.", "Plain."]
    settings.write_text("temprature: 0.7\n")
    served.until(lambda: served.store.queue.counts()["invalid"] == 4, "all are invalid")
    row = served.store.tasks.get("jobs/own")
    assert str(row.problems[0]).startswith(f"{settings}:1:1: temprature: unknown setting")
    settings.write_text("temperature: 0.7\n")
    settle(served)
    assert len(engine.requests) == 2


def test_a_clip_named_in_a_folder_counts_for_every_task_below(served: Served, engine: FakeEngine) -> None:
    served.drop("sub/voice.wav", "a voice")
    served.drop("sub/job.yaml", "reference: voice.wav\n")
    served.until(lambda: len(engine.requests) == 2, "both below")
    settle(served)
    served.drop("sub/voice.wav", "another voice")
    served.until(lambda: len(engine.requests) == 4, "both again")
    settle(served)


def test_a_job_named_in_a_folder_names_its_tasks(served: Served, engine: FakeEngine) -> None:
    served.drop("sub/job.yaml", "job: audiobook\n")
    served.until_state("audiobook/own", "done")
    served.until_state("audiobook/plain", "done")
    assert len(served.states()) == 4
    assert engine.requests == []


def test_a_change_of_what_a_rendering_needs_is_rendered_after_it(served: Served, engine: FakeEngine) -> None:
    served.ask("pause")
    served.drop("job.yaml", "temperature: 0.7\n")
    served.until_state("jobs/plain", "queued")
    served.drop("job.yaml", "temperature: 0.9\n")
    served.until(lambda: served.kinds("jobs/plain").count("changed") == 2, "read twice")
    served.ask("resume")
    settle(served)
    assert {request.sampling.temperature for request in engine.requests} == {0.9}
