"""One host per jobs directory, whatever becomes of the one before."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cbtui.host.lock import Holder, HostLock, HostRunning, find_host, lock_path
from cbtui.paths import Places
from tests.host.serving import DEADLINE, serving
from tests.support.fake_host import places_in

ROOT = Path(__file__).parents[2]


def start(places: Places, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.fake_host", str(places.jobs.parent), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def until(is_met: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_met():
        assert time.monotonic() < deadline, f"did not come: {what}"
        time.sleep(0.01)


def until_held(places: Places) -> Holder:
    until(lambda: (holder := find_host(places)) and holder.pid, "a host that says who it is")
    holder = find_host(places)
    assert holder is not None
    return holder


def test_a_second_host_is_refused_and_told_who_is_there(places: Places) -> None:
    first = HostLock(places)
    first.take(screen=True)
    with pytest.raises(HostRunning, match=f"is hosted already, by process {os.getpid()} on ") as refusal:
        HostLock(places).take()
    holder = find_host(places)
    assert holder is not None
    assert (refusal.value.holder, holder.pid, holder.screen, holder.jobs) == (
        holder,
        os.getpid(),
        True,
        str(places.jobs),
    )
    first.release()
    assert find_host(places) is None


def test_a_jobs_directory_by_another_name_is_the_same(places: Places, tmp_path: Path) -> None:
    places.jobs.mkdir()
    alias = tmp_path / "alias"
    alias.symlink_to(places.jobs)
    lock = HostLock(places)
    lock.take()
    with pytest.raises(HostRunning):
        HostLock(replace(places, jobs=alias)).take()
    lock.release()


def test_another_jobs_directory_has_a_host_of_its_own(places: Places, tmp_path: Path) -> None:
    locks = [HostLock(places), HostLock(replace(places, jobs=tmp_path / "other"))]
    for lock in locks:
        lock.take()
    for lock in locks:
        lock.release()


def test_where_there_never_was_a_host_there_is_none(places: Places) -> None:
    assert find_host(places) is None
    assert not lock_path(places).exists()


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b"null", b'{"pid": 1}', b"\xff\xfe\x00", b'{"pid": 1, "unknown": 2}', b"x" * 100_000]
)
def test_garbage_in_the_file_hinders_nobody(places: Places, note: bytes) -> None:
    path = lock_path(places)
    path.parent.mkdir(parents=True)
    path.write_bytes(note)
    assert find_host(places) is None
    lock = HostLock(places)
    lock.take()
    path.write_bytes(note)
    assert find_host(places) == Holder(0, "unknown", 0.0, str(places.jobs))
    with pytest.raises(HostRunning, match="is hosted already, by another cbtui"):
        HostLock(places).take()
    lock.release()
    assert find_host(places) is None


def test_a_lock_that_cannot_say_who_holds_it_is_held_all_the_same(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(holder: object) -> dict[str, object]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cbtui.host.lock.asdict", no_room)
    lock = HostLock(places)
    lock.take()
    assert find_host(places) is not None
    lock.release()


def test_looking_for_a_host_never_makes_one_fail_that_starts(places: Places) -> None:
    enough = threading.Event()

    def look_all_the_time() -> None:
        while not enough.is_set():
            find_host(places)

    viewers = [threading.Thread(target=look_all_the_time) for _ in range(2)]
    for viewer in viewers:
        viewer.start()
    try:
        for _ in range(50):
            lock = HostLock(places)
            lock.take()
            lock.release()
    finally:
        enough.set()
        for viewer in viewers:
            viewer.join()


def test_two_processes_over_one_folder_and_one_of_them_serves(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    first = start(places)
    try:
        assert until_held(places).pid == first.pid
        second = start(places)
        _, complaint = second.communicate(timeout=DEADLINE)
        assert (second.returncode, f"by process {first.pid} on " in complaint) == (3, True)
    finally:
        first.kill()
        first.communicate()


def test_after_a_killed_host_the_next_starts_at_once(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    first = start(places)
    until_held(places)
    first.kill()
    first.communicate()
    assert find_host(places) is None
    with serving(places):
        assert until_held(places).pid == os.getpid()


def test_children_of_a_killed_host_keep_no_lock(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    note = tmp_path / "child"
    child = f"import os, pathlib, time; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(600)"
    places.jobs.mkdir()
    (places.jobs / "a.txt").write_text("Hello.")
    host = start(places, "--task-done", f"{sys.executable} -c {child!r}")
    until(lambda: note.exists() and note.read_text(), "the child of the host")
    pid = int(note.read_text())
    try:
        host.kill()
        host.wait()
        os.kill(pid, 0)
        assert find_host(places) is None
        with serving(places):
            assert until_held(places).pid == os.getpid()
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_child_that_is_spawned_keeps_no_lock(places: Places) -> None:
    lock = HostLock(places)
    lock.take()
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    process.start()
    try:
        lock.release()
        assert find_host(places) is None
    finally:
        process.kill()
        process.join()


def test_a_host_that_cannot_start_gives_its_lock_back(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    places.jobs.write_text("a file where the folder should be")
    with pytest.raises(FileExistsError), serving(places):
        pass
    assert find_host(places) is None
    places.jobs.unlink()
    with serving(places):
        assert until_held(places).pid == os.getpid()
