"""Files that are edited, touched, deleted and renamed, while their task waits, is rendered, or is done."""

from __future__ import annotations

import os

import pytest

import cbtui.jobs.watching.watcher
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine
from tests.support.gated_engine import GatedEngine

TWO_CHUNKS = """
chunking: {target: 40, limit: 60}
text: |
  This is the first sentence of it.

  This is the second sentence.
"""
SECOND_EDITED = TWO_CHUNKS.replace("second sentence", "changed sentence")


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


# Edits


def test_an_edited_file_that_waits_is_rendered_with_its_new_text(served: Served, engine: GatedEngine) -> None:
    line_up(served, "a", "b")
    served.drop("a.txt", "Another text.")
    served.until_told("changed", "jobs/a")
    assert queue(served) == ["jobs/a", "jobs/b"]
    served.ask("resume")
    engine.open()
    served.until_idle()
    assert engine.texts == ["Another text.", "Hello b."]


def test_an_edit_during_the_rendering_is_rendered_after_it_and_only_what_changed(
    served: Served, engine: GatedEngine
) -> None:
    begin(served, engine)
    served.drop("a.yaml", SECOND_EDITED)
    served.until_told("changed", "jobs/a")
    engine.open()
    served.until(lambda: len(engine.texts) == 3, "the changed chunk")
    served.until_state("jobs/a", "done")
    assert [text.split()[3] for text in engine.texts] == ["first", "second", "changed"]
    served.until(lambda: served.kinds("jobs/a")[-1] == "done", "word of it")
    assert [kind for kind in served.kinds("jobs/a") if kind in {"done", "queued"}] == ["done", "queued", "done"]


def test_a_file_that_becomes_invalid_during_its_rendering_is_finished_then_invalid(
    served: Served, engine: GatedEngine
) -> None:
    begin(served, engine)
    served.drop("a.yaml", TWO_CHUNKS + "nonsense: 1\n")
    served.until_told("invalid", "jobs/a")
    assert served.state("jobs/a") == "rendering"
    engine.open()
    row = served.until_state("jobs/a", "invalid")
    assert (row.problems[0].line, len(served.finals("jobs/a"))) == (7, 1)
    served.drop("a.yaml", TWO_CHUNKS)
    served.until_state("jobs/a", "done")
    assert len(engine.requests) == 2


def test_an_edit_that_is_taken_back_during_the_rendering_is_none(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    served.drop("a.yaml", SECOND_EDITED)
    served.until_told("changed", "jobs/a")
    served.drop("a.yaml", TWO_CHUNKS)
    served.until(lambda: served.kinds("jobs/a").count("changed") == 2, "taken back")
    engine.open()
    served.until_state("jobs/a", "done")
    assert (served.state("jobs/a"), len(engine.requests)) == ("done", 2)


SAME = {
    "touched.yaml": ("text: Hello.\n", None),
    "rewritten.yaml": ("text: Hello.\n", "text: Hello.\n"),
    "comments.yaml": ("text: Hello.\n", "# A comment.\n\ntext:   'Hello.'   # Another.\n"),
    "order.yaml": ("text: Hello.\nseed: 1\n", "seed: 1\r\ntext: Hello.\r\n"),
    "end.txt": ("Hello.\n", "Hello."),
}


def test_what_means_the_same_is_not_rendered_again(served: Served, engine: GatedEngine) -> None:
    for name, (before, _) in SAME.items():
        finish(served, engine, name, before)
    stamps = served.store.files.stamps()
    asked = len(engine.requests)
    for name, (_, after) in SAME.items():
        if after is None:
            os.utime(served.places.jobs / name)
        else:
            served.drop(name, after)
    served.until(lambda: not stamps.items() & served.store.files.stamps().items(), "the new stamps are noted")
    served.until_idle()
    assert set(served.states().values()) == {"done"}
    assert [len(served.finals(task)) for task in served.states()] == [1] * len(SAME)
    assert len(engine.requests) == asked


def test_a_failed_task_whose_file_is_edited_is_tried_again(served: Served, engine: GatedEngine) -> None:
    finish(served, engine, "a.txt", "Hello.")
    served.drop("a.txt", "...")
    served.until_state("jobs/a", "invalid", "failed")
    served.drop("a.txt", "Hello again.")
    served.until_state("jobs/a", "done")


def test_a_new_priority_in_the_file_moves_its_task_and_renders_nothing_again(
    served: Served, engine: GatedEngine
) -> None:
    line_up(served, "a", "b", "c")
    served.drop("c.txt", "---\npriority: 5\n---\nHello c.")
    served.until_told("changed", "jobs/c")
    assert queue(served) == ["jobs/c", "jobs/a", "jobs/b"]


# Deletions


def test_a_deleted_file_that_waits_is_cancelled_and_comes_back_in_its_place(
    served: Served, engine: GatedEngine
) -> None:
    line_up(served, "a", "b")
    (served.places.jobs / "a.txt").unlink()
    row = served.until_state("jobs/a", "cancelled")
    assert row.reason == "its file was deleted"
    served.drop("a.txt", "Hello a.")
    served.until_state("jobs/a", "queued")
    assert queue(served) == ["jobs/a", "jobs/b"]


def test_the_output_of_a_deleted_file_stays_and_its_task_stays_done(served: Served, engine: GatedEngine) -> None:
    finish(served, engine)
    (served.places.jobs / "a.txt").unlink()
    served.until(lambda: not served.store.files.below(served.places.jobs), "the file is forgotten")
    assert served.state("jobs/a") == "done"
    assert len(served.finals("jobs/a")) == 1
    served.drop("a.txt", "Hello.")
    served.until(lambda: served.store.files.below(served.places.jobs), "the file is known again")
    assert (served.state("jobs/a"), len(engine.requests)) == ("done", 1)


def test_a_file_deleted_during_its_rendering_is_finished(served: Served, engine: GatedEngine) -> None:
    begin(served, engine)
    (served.places.jobs / "a.yaml").unlink()
    served.until(lambda: not served.store.files.below(served.places.jobs), "the deletion is known")
    engine.open()
    served.until_state("jobs/a", "done")
    assert len(served.finals("jobs/a")) == 1


def test_what_was_cancelled_by_hand_stays_so_when_its_file_is_touched(served: Served) -> None:
    line_up(served, "a")
    served.ask("cancel", tasks=["a"])
    stamp = served.store.tasks.get("jobs/a").stamp
    os.utime(served.places.jobs / "a.txt")
    served.until(lambda: served.store.tasks.get("jobs/a").stamp != stamp, "the new stamp is noted")
    assert served.state("jobs/a") == "cancelled"
    served.drop("a.txt", "Another text.")
    served.until_state("jobs/a", "queued")


def test_an_invalid_file_that_is_deleted_leaves_the_queue(served: Served) -> None:
    path = served.drop("bad.yaml", "nonsense: 1\n")
    served.until_state("jobs/bad", "invalid")
    path.unlink()
    served.until(lambda: served.state("jobs/bad") is None, "it is gone")


# Without hints


def test_polling_notices_a_drop_an_edit_and_a_deletion(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cbtui.jobs.watching.watcher, "needs_polling", lambda path: True)
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.ask("pause")
        served.drop("a.txt", "Hello a.")
        served.drop("b.txt", "Hello b.")
        served.until_state("jobs/b", "queued")
        served.drop("a.txt", "Edited.")
        (served.places.jobs / "b.txt").unlink()
        served.until_told("changed", "jobs/a")
        served.until_state("jobs/b", "cancelled")
        served.ask("resume")
        served.until_state("jobs/a", "done")
    assert engine.texts == ["Edited."]
