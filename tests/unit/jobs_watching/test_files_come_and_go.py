"""What people and programs do to task files, and what is told of it: with hints, and by looking alone."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from cbtui.core.stamp import Stamp
from cbtui.jobs.watching import FileAppeared, FileChanged, Rests, Watcher
from tests.unit.jobs_watching.helpers import Consumer, drop

# What does not depend on how the watcher came to look.
with_hints = pytest.mark.parametrize("consumer", ["hints"], indirect=True)


def test_a_file_dropped_whole_is_told_once(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    consumer.until_quiet()
    assert consumer.told == [FileAppeared(jobs / "a.md", Stamp.of((jobs / "a.md").stat()))]


@pytest.mark.parametrize("polling", [False, True])
def test_a_file_written_with_pauses_is_told_once_and_whole(jobs: Path, polling: bool) -> None:
    with Watcher(jobs, rests=Rests(long=0.4), polling=polling, period=0.1) as watcher:
        consumer = Consumer(watcher)
        with (jobs / "slow.md").open("w") as file:
            for part in ("one ", "two ", "three ", "four"):
                file.write(part)
                file.flush()
                time.sleep(0.1)  # the writer's pause; for what is told, the test waits
        consumer.until_told(jobs / "slow.md")
        consumer.until_quiet()
    assert consumer.told == [FileAppeared(jobs / "slow.md", Stamp.of((jobs / "slow.md").stat()))]


@with_hints
def test_an_empty_file_is_told_after_a_rest(jobs: Path, consumer: Consumer) -> None:
    (jobs / "empty.md").touch()
    consumer.until_told(jobs / "empty.md")
    assert [type(event) for event in consumer.told] == [FileAppeared]


@with_hints
def test_a_file_that_grows_after_it_was_told_is_told_as_changed(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    consumer.until_told(jobs / "a.md")
    with (jobs / "a.md").open("a") as file:
        file.write(" More.")
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", "a.md"), ("FileChanged", "a.md")]


def test_a_touched_file_is_told_with_its_new_stamp(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    consumer.until_told(jobs / "a.md")
    os.utime(jobs / "a.md", ns=(1, 1))
    consumer.until(lambda: len(consumer.told) == 2)
    assert consumer.told[1] == FileChanged(jobs / "a.md", Stamp.of((jobs / "a.md").stat()))


def _vim(path: Path) -> None:
    (path.parent / "4913").touch()
    (path.parent / "4913").unlink()
    path.rename(f"{path}~")
    path.write_text("Saved by vim.")
    Path(f"{path}~").unlink()


def _emacs(path: Path) -> None:
    (path.parent / f".#{path.name}").symlink_to("me@host.1")
    shutil.copy(path, f"{path}~")
    path.write_text("Saved by emacs.")
    (path.parent / f".#{path.name}").unlink()


def _vscode(path: Path) -> None:
    with path.open("r+") as file:
        file.truncate()
        file.write("Saved by VS Code.")


def _atomic(path: Path) -> None:
    drop(path, "Saved beside and renamed over.")


def _delete_and_create(path: Path) -> None:
    path.unlink()
    path.write_text("Made anew.")


@with_hints
@pytest.mark.parametrize("save", [_vim, _emacs, _vscode, _atomic, _delete_and_create])
def test_an_editors_save_is_one_change(jobs: Path, consumer: Consumer, save: object) -> None:
    drop(jobs / "a.md")
    consumer.until_told(jobs / "a.md")
    assert callable(save)
    save(jobs / "a.md")
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", "a.md"), ("FileChanged", "a.md")]
    assert consumer.told[1] == FileChanged(jobs / "a.md", Stamp.of((jobs / "a.md").stat()))


@with_hints
def test_names_of_unfinished_files_are_passed_over(jobs: Path, consumer: Consumer) -> None:
    for name in (".a.md.Xy12Zw", "a.md.part", "a.md.tmp", ".a.md.swp", "a.md~", "4913", "#a.md#", "a.wav"):
        (jobs / name).write_text("half")
    (jobs / ".hidden").mkdir()
    (jobs / ".hidden" / "a.md").write_text("half")
    (jobs / ".a.md.Xy12Zw").rename(jobs / "a.md")
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", "a.md")]


@with_hints
def test_the_inputs_of_a_pipeline_project_are_no_tasks(jobs: Path, consumer: Consumer) -> None:
    (jobs / "data" / "input" / "texts").mkdir(parents=True)
    (jobs / "data" / "input" / "texts" / "a.txt").write_text("Named by a YAML file.")
    consumer.until_quiet()
    assert consumer.told == []


def test_a_renamed_file_is_told_as_renamed(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    consumer.until_told(jobs / "a.md")
    (jobs / "a.md").rename(jobs / "b.md")
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", "a.md"), ("FileRenamed", "a.md", "b.md")]


@with_hints
def test_a_file_moved_over_another_changes_that_one(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    drop(jobs / "b.md")
    consumer.until_told(jobs / "a.md", jobs / "b.md")
    consumer.told.clear()
    (jobs / "a.md").rename(jobs / "b.md")
    consumer.until_quiet()
    assert sorted(consumer.events()) == [("FileChanged", "b.md"), ("FileVanished", "a.md")]


def test_a_deleted_file_is_told_as_vanished(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    consumer.until_told(jobs / "a.md")
    (jobs / "a.md").unlink()
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", "a.md"), ("FileVanished", "a.md")]


@with_hints
def test_a_file_that_went_before_it_was_told_is_not_told(jobs: Path, consumer: Consumer) -> None:
    (jobs / "empty.md").touch()
    (jobs / "empty.md").unlink()
    consumer.until_quiet()
    assert consumer.told == []


def test_a_file_that_was_not_understood_is_told_once_more_after_a_rest(jobs: Path) -> None:
    with Watcher(jobs, rests=Rests(long=1.0)) as watcher:
        consumer = Consumer(watcher)
        drop(jobs / "a.yaml", "text: [")
        consumer.until_told(jobs / "a.yaml")
        assert watcher.not_whole_yet(jobs / "a.yaml")
        consumer.until(lambda: len(consumer.told) == 2)
        assert consumer.events()[1] == ("FileChanged", "a.yaml")
        assert not watcher.not_whole_yet(jobs / "a.yaml")


def test_a_changed_reference_is_told(jobs: Path, tmp_path: Path, consumer: Consumer) -> None:
    inside, outside = jobs / "data" / "input" / "voice.wav", tmp_path / "chapter.txt"
    inside.parent.mkdir(parents=True)
    inside.write_text("a")
    outside.write_text("a")
    assert consumer.watcher.watch_also([inside, outside])[inside] == Stamp.of(inside.stat())
    inside.write_text("another")
    outside.unlink()
    consumer.until_told(inside, outside)
    consumer.until_quiet()
    assert sorted(consumer.events()) == [("ReferenceChanged", "chapter.txt"), ("ReferenceChanged", inside_name(jobs))]


def inside_name(jobs: Path) -> str:
    return str((jobs / "data" / "input" / "voice.wav").relative_to(jobs))


def test_changed_settings_are_told_before_the_files_they_rule(jobs: Path, consumer: Consumer) -> None:
    book = jobs.parent / "book"
    book.mkdir()
    (book / "job.yaml").write_text("seed: 1")
    (book / "1.md").write_text("Hello.")
    book.rename(jobs / "book")
    consumer.until_told(jobs / "book" / "1.md", jobs / "book" / "job.yaml")
    assert consumer.events() == [("SettingsChanged", "book/job.yaml"), ("FileAppeared", "book/1.md")]
    (jobs / "book" / "job.yaml").unlink()
    consumer.until_quiet()
    assert consumer.events()[2:] == [("SettingsChanged", "book/job.yaml")]
