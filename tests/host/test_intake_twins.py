"""Several files that would be one task: one is it, and each other is shown until it can be."""

from __future__ import annotations

from pathlib import Path

from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine
from tests.support.gated_engine import GatedEngine


def until_read(served: Served, path: Path) -> None:
    served.until(lambda: path in served.store.files.stamps(), f"{path} is read")


def test_of_two_files_of_one_task_the_later_is_invalid_until_the_other_goes(served: Served) -> None:
    served.ask("pause")
    served.drop("a.txt", "From the text.")
    served.until_state("jobs/a", "queued")
    served.drop("a.yaml", "text: From the YAML.\n")
    row = served.until_state("jobs/a.yaml", "invalid")
    assert str(row.problems[0]).endswith(
        f"a.yaml: makes the same task 'jobs/a' as {served.places.jobs}/a.txt: rename one of them"
    )
    assert served.store.tasks.get("jobs/a").source.name == "a.txt"
    (served.places.jobs / "a.txt").unlink()
    served.until(lambda: served.sources() == {"jobs/a": "a.yaml"}, "one task")
    assert served.state("jobs/a") == "queued"


def test_the_second_of_two_files_takes_over_once_the_rendering_of_the_first_that_is_gone_is_over(
    places: Places,
) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        path = served.drop("a.txt", "From the text.")
        served.until(lambda: engine.begun, "begun")
        served.drop("a.yaml", "text: From the YAML.\n")
        served.until_state("jobs/a.yaml", "invalid")
        path.unlink()
        served.until(lambda: path not in served.store.files.below(places.jobs), "the deletion is known")
        engine.open()
        served.until(lambda: len(engine.texts) == 2, "both are rendered")
        served.until(lambda: served.states() == {"jobs/a": "done"}, "one task")
        assert engine.texts == ["From the text.", "From the YAML."]


def test_of_many_files_of_one_task_one_is_the_task_and_each_other_is_shown(served: Served) -> None:
    served.ask("pause")
    for folder in "xyz":
        until_read(served, served.drop(f"{folder}/a.yaml", "job: same\ntext: Hello.\n"))
    served.drop("same/a.md", "Hello.")
    served.drop("same/a.yaml.txt", "Named as the second of the others is shown.")
    served.until(lambda: len(served.states()) == 5, "five files, five entries")
    assert len({row.source for row in served.store.queue.page(limit=9)}) == 5
    assert served.store.queue.counts()["queued"] == 1
    (served.places.jobs / "x" / "a.yaml").unlink()
    served.until(lambda: served.store.tasks.get("same/a").source.parent.name != "x", "another takes its place")
    assert served.state("same/a") == "queued"


def test_a_change_of_settings_leaves_the_first_of_two_files_the_task(served: Served, engine: FakeEngine) -> None:
    served.drop("a.yaml", "text: Hello.\n")
    served.until_state("jobs/a", "done")
    served.drop("a.txt", "Another.")
    served.until_state("jobs/a.txt", "invalid")
    served.drop("job.yaml", "priority: 3\n")
    served.until(lambda: served.store.tasks.get("jobs/a").priority == 3, "the settings are read")
    assert served.states() == {"jobs/a": "done", "jobs/a.txt": "invalid"}
    assert served.kinds("jobs/a").count("invalid") == 0


def test_two_files_of_one_task_that_were_broken_for_a_while_are_what_they_were(
    served: Served, engine: FakeEngine
) -> None:
    served.drop("b.yaml", "text: Hello.\n")
    served.until_state("jobs/b", "done")
    served.drop("b.txt", "Another.")
    served.until_state("jobs/b.txt", "invalid")
    served.drop("job.yaml", "nonsense: 1\n")
    served.until_state("jobs/b", "invalid")
    served.drop("job.yaml", "# Mended.\n")
    served.until_state("jobs/b", "done")
    assert served.sources() == {"jobs/b": "b.yaml", "jobs/b.txt": "b.txt"}
    assert len(engine.requests) == 1


def test_a_valid_file_gets_the_name_before_one_that_never_was(served: Served) -> None:
    served.ask("pause")
    served.drop("a.yaml", "nonsense: 1\n")
    served.until_state("jobs/a", "invalid")
    served.drop("a.txt", "Hello.")
    served.until(lambda: served.sources() == {"jobs/a": "a.txt", "jobs/a.yaml": "a.yaml"}, "both are shown")
    assert served.states() == {"jobs/a": "queued", "jobs/a.yaml": "invalid"}


def test_a_text_is_free_once_the_file_that_named_it_made_way_for_another(served: Served) -> None:
    served.ask("pause")
    served.drop("chapter.txt", "Hello.")
    served.drop("a.yaml", "text_file: chapter.txt\n")
    served.drop("b.txt", "Another.")
    served.until(lambda: set(served.states()) == {"jobs/a", "jobs/b"}, "two tasks")
    (served.places.jobs / "b.txt").rename(served.places.jobs / "a.txt")
    (served.places.jobs / "a.yaml").unlink()
    served.until(lambda: served.sources() == {"jobs/a": "a.txt", "jobs/chapter": "chapter.txt"}, "two other tasks")
