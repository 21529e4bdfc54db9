"""Which texts are tasks of their own, and which belong to a file that names them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine
from tests.support.gated_engine import GatedEngine

NAMING = "text_file: chapter.txt\n"


@pytest.mark.parametrize("yaml", ["chapter.yaml", "book.yaml"])
@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "done"])
def test_a_text_and_then_a_file_that_names_it_are_one_task(
    served: Served, engine: FakeEngine, yaml: str, waits: bool
) -> None:
    if waits:
        served.ask("pause")
    served.drop("chapter.txt", "Hello.")
    served.until_state("jobs/chapter", "queued" if waits else "done")
    served.drop(yaml, NAMING + "output: {chunk_silence: 1}\n")
    task = f"jobs/{yaml.partition('.')[0]}"
    served.until(lambda: served.sources() == {task: yaml}, "one task")
    served.ask("resume")
    served.until_state(task, "done")
    served.until(lambda: (served.state(task), engine.texts) == ("done", ["Hello."]), "done, and rendered once")


@pytest.mark.parametrize("yaml", ["chapter.yaml", "book.yaml"])
def test_a_text_under_way_that_gets_a_file_that_names_it_becomes_one_task_with_it(places: Places, yaml: str) -> None:
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("chapter.txt", "Hello.")
        served.until(lambda: engine.begun, "begun")
        served.drop(yaml, NAMING)
        served.until(lambda: served.store.files.known([places.jobs / yaml]), "it is read")
        engine.open()
        task = f"jobs/{yaml.partition('.')[0]}"
        served.until(lambda: served.sources() == {task: yaml}, "one task")
        served.until_state(task, "done")
        assert len(engine.requests) == 1


def test_a_text_is_a_task_of_its_own_once_no_file_names_it(served: Served) -> None:
    served.ask("pause")
    served.drop("chapter.txt", "Hello.")
    served.drop("a.yaml", NAMING)
    served.drop("b.yaml", NAMING)
    served.until(lambda: set(served.states()) == {"jobs/a", "jobs/b"}, "two tasks")
    (served.places.jobs / "a.yaml").unlink()
    served.until_state("jobs/a", "cancelled")
    assert served.state("jobs/chapter") is None
    (served.places.jobs / "b.yaml").unlink()
    served.until_state("jobs/chapter", "queued")


def test_a_text_is_a_task_of_its_own_once_the_file_names_another(served: Served) -> None:
    served.ask("pause")
    served.drop("chapter.txt", "Hello.")
    served.drop("other.txt", "Another.")
    served.drop("a.yaml", NAMING)
    served.until(lambda: set(served.states()) == {"jobs/a", "jobs/other"}, "the text is taken")
    served.drop("a.yaml", "text_file: other.txt\n")
    served.until(lambda: set(served.states()) == {"jobs/a", "jobs/chapter"}, "the other text is taken")


def test_a_text_of_the_same_name_is_a_task_again_once_its_yaml_is_removed(served: Served, engine: FakeEngine) -> None:
    served.drop("chapter.txt", "Hello.")
    served.drop("chapter.yaml", NAMING)
    served.until(lambda: served.states() == {"jobs/chapter": "done"}, "one task")
    (served.places.jobs / "chapter.yaml").unlink()
    served.until(lambda: served.sources() == {"jobs/chapter": "chapter.txt"}, "it is the text's")
    served.until_state("jobs/chapter", "done")
    assert len(engine.requests) == 1


def test_the_text_of_a_task_that_was_taken_out_of_the_queue_is_no_task_of_its_own(served: Served) -> None:
    served.ask("pause")
    served.drop("chapter.txt", "Hello.")
    served.drop("book.yaml", NAMING)
    served.until(lambda: served.sources() == {"jobs/book": "book.yaml"}, "one task")
    served.ask("remove", tasks=["book"])
    served.drop("chapter.txt", "Hello again.")
    served.drop("z.txt", "Hello.")
    served.until_state("jobs/z", "queued")
    assert set(served.states()) == {"jobs/z"}
    served.drop("book.yaml", NAMING + "seed: 1\n")
    served.until_state("jobs/book", "queued")


def test_a_text_stays_with_a_file_that_is_broken_for_a_while(served: Served) -> None:
    served.ask("pause")
    served.drop("chapter.txt", "Hello.")
    served.drop("book.yaml", NAMING)
    served.until(lambda: served.sources() == {"jobs/book": "book.yaml"}, "one task")
    served.drop("book.yaml", NAMING + "speakers: [\n")
    served.until_state("jobs/book", "invalid")
    os.utime(served.places.jobs / "chapter.txt", ns=(1, 1))
    served.drop("b.txt", "Hello.")
    served.until_state("jobs/b", "queued")
    served.drop("book.yaml", NAMING)
    served.until_state("jobs/book", "queued")
    assert set(served.states()) == {"jobs/book", "jobs/b"}
    assert served.kinds("jobs/chapter") in ([], ["added"])


def test_a_text_where_no_tasks_lie_never_becomes_one(served: Served) -> None:
    served.ask("pause")
    for number, folder in enumerate((served.places.jobs, served.places.jobs.parent)):
        text = folder / "data" / "input" / "texts" / f"{number}.txt"
        text.parent.mkdir(parents=True)
        text.write_text("Hello.")
        served.drop(f"{number}.yaml", f"input: {{text_file: {number}.txt}}\n")
        served.until_state(f"jobs/{number}", "queued")
        (served.places.jobs / f"{number}.yaml").unlink()
        served.until_state(f"jobs/{number}", "cancelled")
    served.drop("b.txt", "Hello.")
    served.until_state("jobs/b", "queued")
    assert set(served.states()) == {"jobs/0", "jobs/1", "jobs/b"}


def test_texts_and_the_files_that_name_them_come_at_once_and_are_one_task_each(served: Served, tmp_path: Path) -> None:
    served.ask("pause")
    folder = tmp_path / "book"
    (folder / "a-texts").mkdir(parents=True)
    for number in range(150):
        (folder / "a-texts" / f"{number}.txt").write_text(f"Text {number}.")
        (folder / f"z-{number}.yaml").write_text(f"text_file: a-texts/{number}.txt\n")
    folder.rename(served.places.jobs / "book")
    served.until(lambda: served.store.queue.counts()["queued"] == 150, "all of them")
    assert [row.id for row in served.store.queue.page(limit=200)] == [f"book/z-{number}" for number in range(150)]
    assert not [entry for entry in served.told.copy() if entry.task.startswith("book/a-texts")]
