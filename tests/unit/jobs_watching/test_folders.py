"""Folders that come, go, loop, or may not be read; many files; a jobs directory that is not there."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cbtui.jobs.watching import FileAppeared, FolderTrouble, Watcher
from tests.unit.jobs_watching.helpers import QUICK, Consumer, drop


def test_a_folder_moved_in_brings_its_files(jobs: Path, tmp_path: Path, consumer: Consumer) -> None:
    (tmp_path / "book" / "part").mkdir(parents=True)
    for name in ("10.md", "2.md", "part/1.md"):
        (tmp_path / "book" / name).write_text("Hello.")
    (tmp_path / "book").rename(jobs / "book")
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", f"book/{name}") for name in ("2.md", "10.md", "part/1.md")]


def test_a_file_made_in_the_instant_of_its_folder_is_told(jobs: Path, consumer: Consumer) -> None:
    for number in range(20):
        (jobs / f"folder{number}").mkdir()
        (jobs / f"folder{number}" / "a.md").write_text("Hello.")
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", f"folder{number}/a.md") for number in range(20)]


def test_the_files_of_a_renamed_folder_are_renamed(jobs: Path, consumer: Consumer) -> None:
    (jobs / "draft").mkdir()
    drop(jobs / "draft" / "1.md")
    drop(jobs / "draft" / "2.md")
    consumer.until_told(jobs / "draft" / "1.md", jobs / "draft" / "2.md")
    consumer.told.clear()
    (jobs / "draft").rename(jobs / "final")
    consumer.until_quiet()
    assert consumer.events() == [("FileRenamed", f"draft/{number}.md", f"final/{number}.md") for number in (1, 2)]


def test_a_deleted_folder_takes_its_files_along(jobs: Path, consumer: Consumer) -> None:
    (jobs / "book").mkdir()
    drop(jobs / "book" / "1.md")
    consumer.until_told(jobs / "book" / "1.md")
    shutil.rmtree(jobs / "book")
    consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", "book/1.md"), ("FileVanished", "book/1.md")]


def test_links_are_not_followed(jobs: Path, tmp_path: Path, consumer: Consumer) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.md").write_text("Not in the jobs directory.")
    (jobs / "loop").symlink_to(jobs)
    (jobs / "linked").symlink_to(tmp_path / "elsewhere")
    (jobs / "link.md").symlink_to(tmp_path / "elsewhere" / "a.md")
    os.mkfifo(jobs / "pipe.md")
    consumer.until_told(jobs / "link.md", jobs / "pipe.md")
    consumer.until_quiet()
    assert consumer.events() == [("FolderTrouble", "link.md"), ("FolderTrouble", "pipe.md")]


def test_a_name_that_is_not_utf8_is_told_and_later_files_too(jobs: Path, consumer: Consumer) -> None:
    odd = Path(os.fsdecode(os.fsencode(jobs) + b"/caf\xe9.md"))
    odd.write_text("Hello.")
    consumer.until_told(odd)
    drop(jobs / "later.md")
    odd.unlink()
    consumer.until_quiet()
    assert sorted(consumer.events()) == [
        ("FileAppeared", odd.name),
        ("FileAppeared", "later.md"),
        ("FileVanished", odd.name),
    ]


def test_twenty_thousand_files_are_each_told_once(jobs: Path) -> None:
    expected = {jobs / f"{number}.md" for number in range(20_000)}
    with Watcher(jobs) as watcher:
        consumer = Consumer(watcher)
        consumer.until_watching()
        for path in expected:
            path.write_text("Hello.")
        consumer.until(lambda: len(consumer.told) >= len(expected))
        consumer.until_quiet()
    assert all(isinstance(event, FileAppeared) for event in consumer.told)
    assert sorted(event.path for event in consumer.told if isinstance(event, FileAppeared)) == sorted(expected)


def test_a_jobs_directory_deleted_and_made_again(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    drop(jobs / "b.md")
    consumer.until_told(jobs / "a.md", jobs / "b.md")
    consumer.told.clear()
    jobs.rename(jobs.parent / "away")
    consumer.until_told(jobs)
    (jobs.parent / "away" / "b.md").unlink()
    (jobs.parent / "away").rename(jobs)
    drop(jobs / "c.md")
    consumer.until_quiet()
    trouble, *rest = consumer.events()
    assert trouble == ("FolderTrouble", ".")
    assert sorted(rest) == [("FileAppeared", "c.md"), ("FileVanished", "b.md"), ("FolderTrouble", ".")]
    assert [event.over for event in consumer.told if isinstance(event, FolderTrouble)] == [False, True]


def test_a_jobs_directory_replaced_at_once_is_watched_on(jobs: Path, consumer: Consumer) -> None:
    for round_ in range(3):
        shutil.rmtree(jobs)
        jobs.mkdir()
        drop(jobs / f"{round_}.md")
        consumer.until_told(jobs / f"{round_}.md")


def test_files_of_a_jobs_directory_that_is_gone_do_not_vanish(jobs: Path, consumer: Consumer) -> None:
    drop(jobs / "a.md")
    consumer.until_told(jobs / "a.md")
    shutil.rmtree(jobs)
    consumer.until_told(jobs)
    jobs.mkdir()
    drop(jobs / "a.md", "Restored.")
    consumer.until_quiet()
    assert [event for event in consumer.events() if event[0] != "FolderTrouble"] == [
        ("FileAppeared", "a.md"),
        ("FileChanged", "a.md"),
    ]


def test_a_jobs_directory_may_come_later(tmp_path: Path) -> None:
    with Watcher(tmp_path / "jobs", rests=QUICK) as watcher:
        consumer = Consumer(watcher)
        consumer.until_told(tmp_path / "jobs")
        (tmp_path / "jobs").mkdir()
        drop(tmp_path / "jobs" / "a.md")
        consumer.until_told(tmp_path / "jobs" / "a.md")


def test_files_that_are_there_at_the_start_are_told_and_their_settings_are_not(jobs: Path) -> None:
    (jobs / "job.yaml").write_text("seed: 1")
    (jobs / "a.md").write_text("Hello.")
    with Watcher(jobs, rests=QUICK) as watcher:
        consumer = Consumer(watcher)
        consumer.until_quiet()
    assert consumer.events() == [("FileAppeared", "a.md")]


class _Locks:
    """Folders that may not be read: tests often run as root, whom no permission stops."""

    def __init__(self) -> None:
        self.locked: set[str] = set()
        self._scandir = os.scandir

    def scandir(self, path: Any) -> Any:
        if str(path) in self.locked:
            raise PermissionError(13, "Permission denied", path)
        return self._scandir(path)


@pytest.fixture
def locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Locks]:
    locks = _Locks()
    monkeypatch.setattr(os, "scandir", locks.scandir)
    return locks


def test_what_is_known_of_a_folder_that_may_not_be_read_stands(jobs: Path, consumer: Consumer, locks: _Locks) -> None:
    (jobs / "book").mkdir()
    drop(jobs / "book" / "1.md")
    consumer.until_told(jobs / "book" / "1.md")
    locks.locked.add(str(jobs / "book"))
    consumer.watcher.look_now()
    consumer.until_told(jobs / "book")
    drop(jobs / "a.md")
    consumer.until_told(jobs / "a.md")
    locks.locked.clear()
    consumer.watcher.look_now()
    consumer.until_quiet()
    assert consumer.events() == [
        ("FileAppeared", "book/1.md"),
        ("FolderTrouble", "book"),
        ("FileAppeared", "a.md"),
        ("FolderTrouble", "book"),
    ]


def test_stopping_ends_both_threads_and_wakes_the_consumer(jobs: Path) -> None:
    before = set(threading.enumerate())
    watcher = Watcher(jobs)
    watcher.start()
    watcher.stop()
    while watcher.next_batch():
        pass
    assert set(threading.enumerate()) <= before
