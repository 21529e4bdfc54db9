"""Hints that fail, lie or cannot be had: looking finds everything."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from cbtui.jobs.watching import FolderTrouble, Watcher
from cbtui.jobs.watching import watcher as watcher_module
from cbtui.jobs.watching.mounts import needs_polling
from tests.unit.jobs_watching.helpers import QUICK, Consumer, drop


def test_without_hints_files_are_told_and_the_reason_once(jobs: Path) -> None:
    def announce(root: Path, stop: threading.Event) -> Iterator[Iterable[str]]:
        raise OSError("OS file watch limit reached.")

    with Watcher(jobs, rests=QUICK, period=0.1, announce=announce) as watcher:
        consumer = Consumer(watcher)
        drop(jobs / "a.md")
        consumer.until_told(jobs, jobs / "a.md")
        consumer.until_quiet()
    troubles = [event for event in consumer.told if isinstance(event, FolderTrouble)]
    assert [trouble.path for trouble in troubles] == [jobs]
    assert "OS file watch limit reached." in troubles[0].reason


def test_deaf_hints_are_started_anew(jobs: Path) -> None:
    starts: list[int] = []

    def announce(root: Path, stop: threading.Event) -> Iterator[Iterable[str]]:
        starts.append(1)
        yield []
        while not stop.wait(0.02):
            yield []

    with Watcher(jobs, rests=QUICK, period=0.1, announce=announce) as watcher:
        consumer = Consumer(watcher)
        for number in range(3):
            drop(jobs / f"{number}.md")
            consumer.until_told(jobs / f"{number}.md")
        consumer.until(lambda: len(starts) > 1)


def test_an_unexpected_error_is_told_and_looking_goes_on(jobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher_module, "_AFTER_A_FAULT", 0.05)
    with Watcher(jobs, rests=QUICK, polling=True, period=0.05) as watcher:
        consumer = Consumer(watcher)
        with monkeypatch.context() as broken:
            broken.setattr(watcher_module.Tree, "look", lambda self: 1 / 0)
            consumer.until_told(jobs)
        drop(jobs / "a.md")
        consumer.until_told(jobs / "a.md")
    assert "ZeroDivisionError" in str(consumer.told[0])


@pytest.mark.parametrize(
    ("folder", "expected"),
    [("/srv/books/jobs", True), ("/home/me/jobs", False), ("/mnt/my share/jobs", True), ("/mnt/mine", False)],
)
def test_network_file_systems_are_polled(tmp_path: Path, folder: str, expected: bool) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "40 22 0:50 / /srv/books rw shared:1 - nfs4 server:/books rw\n"
        "41 22 0:51 / /mnt/my\\040share rw - fuse.sshfs me@host: rw\n"
    )
    assert needs_polling(Path(folder), table) is expected
