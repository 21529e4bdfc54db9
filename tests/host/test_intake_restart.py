"""What changed while no host ran, and a queue that was lost: the next host finds out."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

from cbtui.host.store import store_path
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine

BOOK = "text_file: texts/book.txt\nspeakers: {al: {reference: al.wav}}\n"


def write(places: Places, name: str, text: str) -> Path:
    path = places.jobs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def finish_some(places: Places) -> None:
    """Three tasks done by a host that ended: two texts, and a file that names a text and a clip."""
    places.config.mkdir(parents=True, exist_ok=True)
    write(places, "a.txt", "Hello a.")
    write(places, "sub/b.txt", "Hello b.")
    write(places, "texts/book.txt", "A book.")
    write(places, "al.wav", "a voice")
    write(places, "book.yaml", BOOK)
    with serving(places) as served:
        served.until(lambda: served.store.queue.counts()["done"] == 3, "three tasks")
        assert set(served.states()) == {"jobs/a", "sub/b", "jobs/book"}


def line_up(places: Places, *names: str) -> None:
    """Tasks that wait, of a host that ended."""
    with serving(places) as served:
        served.ask("pause")
        for name in names:
            served.drop(f"{name}.txt", f"Hello {name}.")
            served.until_state(f"jobs/{name}", "queued")


def queue(served: Served) -> list[str]:
    return [row.id for row in served.store.queue.page(limit=99)]


def test_nothing_that_is_done_is_rendered_again(places: Places) -> None:
    finish_some(places)
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.drop("new.txt", "Something new.")
        served.until_state("jobs/new", "done")
        assert set(served.states().values()) == {"done"}
        assert served.kinds("jobs/a") == []
    assert engine.texts == ["Something new."]


def test_what_changed_while_no_host_ran_is_rendered_and_nothing_else(places: Places) -> None:
    finish_some(places)
    write(places, "touched.txt", "Touched.")
    write(places, "plain/c.txt", "Hello c.")
    with serving(places) as served:
        served.until(lambda: served.store.queue.counts()["done"] == 5, "two more tasks")
    write(places, "a.txt", "Edited.")
    write(places, "d/new.txt", "New.")
    write(places, "texts/book.txt", "Another book.")
    write(places, "sub/job.yaml", "temperature: 0.7\n")
    os.utime(places.jobs / "touched.txt")
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.until(lambda: len(engine.requests) == 4, "what changed")
        served.until_idle()
        assert sorted(engine.texts) == ["Another book.", "Edited.", "Hello b.", "New."]
        assert set(served.states().values()) == {"done"}


def test_a_clip_or_settings_of_the_user_that_changed_while_no_host_ran_are_heard(places: Places) -> None:
    finish_some(places)
    write(places, "al.wav", "another voice")
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.until(lambda: engine.texts == ["A book."], "the other voice")
        served.until_idle()
    places.user_settings.write_text("temperature: 0.7\n")
    with serving(places, engine) as served:
        served.until(lambda: len(engine.requests) == 4, "all of them")
        served.until_idle()
        assert set(served.states().values()) == {"done"}


def test_a_file_deleted_while_no_host_ran_is_cancelled_if_it_waits(places: Places) -> None:
    line_up(places, "a", "b", "c")
    (places.jobs / "b.txt").unlink()
    with serving(places) as served:
        row = served.until_state("jobs/b", "cancelled")
        assert row.reason == "its file was deleted"
        assert served.states() == {"jobs/a": "queued", "jobs/b": "cancelled", "jobs/c": "queued"}
        served.drop("b.txt", "Hello b.")
        served.until_state("jobs/b", "queued")
        assert queue(served) == ["jobs/a", "jobs/b", "jobs/c"]


def test_a_done_or_invalid_file_deleted_while_no_host_ran_is_forgotten(places: Places) -> None:
    finish_some(places)
    with serving(places) as served:
        served.drop("bad.yaml", "nonsense: 1\n")
        served.until_state("jobs/bad", "invalid")
    for name in ("a.txt", "bad.yaml"):
        (places.jobs / name).unlink()
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.until(lambda: served.state("jobs/bad") is None, "the invalid one leaves the queue")
        assert served.state("jobs/a") == "done"
        assert places.jobs / "a.txt" not in served.store.files.below(places.jobs)
        assert len(served.finals("jobs/a")) == 1
    assert engine.requests == []


def test_a_text_or_clip_deleted_while_no_host_ran_makes_its_task_invalid(places: Places) -> None:
    finish_some(places)
    (places.jobs / "al.wav").unlink()
    with serving(places) as served:
        row = served.until_state("jobs/book", "invalid")
        assert "no such file: 'al.wav'" in str(row.problems[0])


def test_a_file_renamed_while_no_host_ran_keeps_its_place(places: Places) -> None:
    line_up(places, "a", "b", "c", "d")
    (places.jobs / "c.txt").rename(places.jobs / "0.txt")
    (places.jobs / "book").mkdir()
    (places.jobs / "b.txt").rename(places.jobs / "book" / "b.txt")
    with serving(places) as served:
        served.until(lambda: queue(served) == ["jobs/a", "book/b", "jobs/0", "jobs/d"], "their places")
        assert set(served.states().values()) == {"queued"}


def test_a_folder_renamed_while_no_host_ran_is_not_rendered_again(places: Places) -> None:
    finish_some(places)
    (places.jobs / "sub").rename(places.jobs / "new")
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.until_state("new/b", "done")
        assert served.state("sub/b") is None
    assert engine.requests == []


def opened_by_another_name(places: Places, tmp_path: Path) -> Places:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "jobs").symlink_to(places.jobs)
    return replace(places, jobs=tmp_path / "elsewhere" / "jobs")


def test_a_jobs_directory_opened_by_another_name_has_the_same_queue(places: Places, tmp_path: Path) -> None:
    line_up(places, "a", "b")
    with serving(opened_by_another_name(places, tmp_path)) as served:
        served.drop("c.txt", "Hello c.")
        served.until_state("jobs/c", "queued")
        assert queue(served) == ["jobs/a", "jobs/b", "jobs/c"]
        assert set(served.states().values()) == {"queued"}
        (places.jobs / "a.txt").unlink()
        served.until_state("jobs/a", "cancelled")


def test_what_was_done_in_a_jobs_directory_can_be_edited_by_another_name_of_it(places: Places, tmp_path: Path) -> None:
    finish_some(places)
    engine = FakeEngine()
    with serving(opened_by_another_name(places, tmp_path), engine) as served:
        served.drop("a.txt", "Edited.")
        served.until(lambda: engine.texts == ["Edited."], "the new text")
        served.until(lambda: set(served.states().values()) == {"done"}, "all are done")


def test_what_was_taken_out_of_the_queue_stays_out_though_the_disk_has_another_number(places: Places) -> None:
    line_up(places, "a", "b")
    with serving(places) as served:
        served.ask("remove", tasks=["a"])
    with sqlite3.connect(store_path(places)) as store:
        for table in ("dismissed", "tasks"):
            store.execute(f"UPDATE {table} SET stamp = '1' || stamp")
    store.close()
    (places.jobs / "b.txt").rename(places.jobs / "0.txt")
    with serving(places) as served:
        served.drop("c.txt", "Hello c.")
        served.until_state("jobs/c", "queued")
        assert queue(served) == ["jobs/0", "jobs/c"]


def test_a_pause_and_the_order_outlast_the_host(places: Places) -> None:
    line_up(places, "a", "b", "c")
    with serving(places) as served:
        served.ask("pause", tasks=["a"])
        served.ask("move", tasks=["c"], place=1)
    with serving(places) as served:
        assert queue(served) == ["jobs/c", "jobs/a", "jobs/b"]
        assert served.state("jobs/a") == "paused"
        assert served.store.meta.paused


def test_a_lost_queue_is_rebuilt_from_what_is_there(places: Places) -> None:
    finish_some(places)
    for path in places.state.glob("queue-*"):
        path.unlink()
    write(places, "waits.txt", "Not rendered yet.")
    write(places, "bad.yaml", "nonsense: 1\n")
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.until_state("jobs/waits", "done")
        expected = dict.fromkeys(("jobs/a", "sub/b", "jobs/book", "jobs/waits"), "done")
        assert served.states() == expected | {"jobs/bad": "invalid"}
        row = served.store.tasks.get("jobs/a")
        assert row.result is not None
        assert [row.result.output] == served.finals("jobs/a")
        assert row.result.speech_seconds > 0
        served.until_told("added", "jobs/a", "is finished already")
    assert engine.texts == ["Not rendered yet."]


def test_a_damaged_queue_is_set_aside_by_name_and_rebuilt(places: Places) -> None:
    finish_some(places)
    store = store_path(places)
    store.write_bytes(b"garbage" * 1000)
    engine = FakeEngine()
    with serving(places, engine) as served:
        entry = served.until_told("store", text="set aside")
        (aside,) = places.state.glob("queue-*.unreadable-*[0-9]")
        assert str(aside) in entry.message
        assert aside.read_bytes() == b"garbage" * 1000
        served.until(lambda: served.store.queue.counts()["done"] == 3, "all of them")
    assert engine.requests == []


def test_a_finished_file_that_was_deleted_is_made_again_after_the_queue_is_lost(places: Places) -> None:
    finish_some(places)
    for path in places.state.glob("queue-*"):
        path.unlink()
    for path in places.output.glob("jobs/a/*/a.wav"):
        path.unlink()
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.until(lambda: served.store.queue.counts()["done"] == 3, "all of them")
        assert len(served.finals("jobs/a")) == 1
    assert engine.requests == []


def test_an_emptied_output_folder_is_no_reason_to_stop(places: Places) -> None:
    finish_some(places)
    for path in places.state.glob("queue-*"):
        path.unlink()
    shutil.rmtree(places.output)
    engine = FakeEngine()
    with serving(places, engine) as served:
        served.until(lambda: served.store.queue.counts()["done"] == 3, "all of them")
    assert len(engine.requests) == 3
