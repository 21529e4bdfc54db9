"""Files that get another name, or change places, while their task waits, is rendered, or is done."""

from __future__ import annotations

import pytest

from tests.host.serving import Served
from tests.support.gated_engine import GatedEngine

TWO_CHUNKS = """
chunking: {target: 40, limit: 60}
text: |
  This is the first sentence of it.

  This is the second sentence.
"""


@pytest.fixture
def engine() -> GatedEngine:
    return GatedEngine()


def begin(served: Served, engine: GatedEngine) -> None:
    """Have `a`, a task of two chunks, under way, its first chunk not finished."""
    served.drop("a.yaml", TWO_CHUNKS)
    served.until(lambda: engine.begun, "begun")


def finish(served: Served, engine: GatedEngine, name: str = "a.txt", text: str = "Hello.") -> None:
    engine.open()
    served.drop(name, text)
    served.until_state(f"jobs/{name.partition('.')[0]}", "done")


def line_up(served: Served, *names: str) -> None:
    """Have tasks wait in this order, and nothing rendered."""
    served.ask("pause")
    for name in names:
        served.drop(f"{name}.txt", f"Hello {name}.")
        served.until_state(f"jobs/{name}", "queued")


def queue(served: Served) -> list[str]:
    return [row.id for row in served.store.queue.page(limit=99)]


def test_a_renamed_file_keeps_its_place(served: Served, engine: GatedEngine) -> None:
    line_up(served, "a", "m", "z")
    (served.places.jobs / "m.txt").rename(served.places.jobs / "0.txt")
    served.until_state("jobs/0", "queued")
    assert queue(served) == ["jobs/a", "jobs/0", "jobs/z"]
    (served.places.jobs / "a.txt").rename(served.places.jobs / "zz.txt")
    served.until_state("jobs/zz", "queued")
    assert queue(served) == ["jobs/zz", "jobs/0", "jobs/z"]


def test_a_paused_task_whose_file_is_renamed_stays_paused(served: Served) -> None:
    line_up(served, "a", "b")
    served.ask("pause", tasks=["a"])
    (served.places.jobs / "a.txt").rename(served.places.jobs / "c.txt")
    served.until_state("jobs/c", "paused")
    assert queue(served) == ["jobs/c", "jobs/b"]


def test_a_done_task_whose_file_is_renamed_stays_done(served: Served, engine: GatedEngine) -> None:
    finish(served, engine)
    served.ask("pause")
    (served.places.jobs / "a.txt").rename(served.places.jobs / "b.txt")
    row = served.until_state("jobs/b", "done")
    assert row.result is not None
    assert [row.result.output] == served.finals("jobs/a")
    assert served.state("jobs/a") is None


def test_a_file_renamed_during_its_rendering_gets_its_new_name_afterwards(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    (served.places.jobs / "a.yaml").rename(served.places.jobs / "b.yaml")
    served.until_told("renamed")
    assert served.state("jobs/a") == "rendering"
    engine.open()
    served.until_state("jobs/b", "done")
    assert (served.state("jobs/a"), len(engine.requests)) == (None, 2)


def test_a_file_moved_into_another_folder_changes_its_job_and_keeps_its_place(served: Served) -> None:
    line_up(served, "a", "b")
    (served.places.jobs / "book").mkdir()
    (served.places.jobs / "a.txt").rename(served.places.jobs / "book" / "a.txt")
    served.until_state("book/a", "queued")
    assert queue(served) == ["book/a", "jobs/b"]
    assert served.store.tasks.get("book/a").job == "book"


def test_a_file_renamed_to_the_name_of_one_that_was_deleted_is_that_task(served: Served, engine: GatedEngine) -> None:
    finish(served, engine, "b.txt", "Hello b.")
    (served.places.jobs / "b.txt").unlink()
    served.until(lambda: not served.store.files.below(served.places.jobs), "the deletion is known")
    served.ask("pause")
    served.drop("a.txt", "Hello a.")
    served.until_state("jobs/a", "queued")
    (served.places.jobs / "a.txt").rename(served.places.jobs / "b.txt")
    served.until(lambda: queue(served) == ["jobs/b"], "one task under the new name")
    served.ask("resume")
    served.until_state("jobs/b", "done")
    assert engine.texts == ["Hello b.", "Hello a."]


def test_two_files_that_swap_their_names_swap_their_texts(served: Served, engine: GatedEngine) -> None:
    line_up(served, "a", "b")
    jobs = served.places.jobs
    for old, new in (("a.txt", "c"), ("b.txt", "a.txt"), ("c", "b.txt")):
        (jobs / old).rename(jobs / new)
    served.until_told("changed", "jobs/a")
    served.until_told("changed", "jobs/b")
    served.ask("resume")
    engine.open()
    served.until_idle()
    assert queue(served) == ["jobs/a", "jobs/b"]
    assert engine.texts == ["Hello b.", "Hello a."]


def test_a_file_renamed_away_from_being_a_task_is_deleted_and_comes_back(served: Served) -> None:
    line_up(served, "a", "b")
    (served.places.jobs / "a.txt").rename(served.places.jobs / "a.off")
    served.until_state("jobs/a", "cancelled")
    (served.places.jobs / "a.off").rename(served.places.jobs / "a.txt")
    served.until_state("jobs/a", "queued")


def test_an_invalid_file_that_takes_the_name_of_another_stands_in_its_place(served: Served) -> None:
    served.drop("job.yaml", "nonsense: 1\n")
    served.drop("a.yaml", "text: Hello.\n")
    served.until_state("jobs/a", "invalid")
    (served.places.jobs / "a.yaml").unlink()
    served.drop("a.txt", "Hello.")
    served.until(lambda: served.places.jobs / "a.yaml" not in served.store.files.stamps(), "the one is forgotten")
    served.until(lambda: served.places.jobs / "a.txt" in served.store.files.stamps(), "the other is shown")
    served.drop("job.yaml", "# Mended.\n")
    row = served.until_state("jobs/a", "queued", "rendering")
    assert row.source.name == "a.txt"
