"""Disks that are full: of the output, where tasks wait, and of the queue, where nothing that was done is lost."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cbtui.host.blocks import has_room
from cbtui.host.control import obey
from cbtui.host.live import LiveFile
from cbtui.host.rendering import run_in_progress
from cbtui.host.store import StoreFull, open_store
from cbtui.paths import Places
from tests.host.serving import serving
from tests.host.store.helpers import put
from tests.support.fake_engine import FakeEngine
from tests.support.gated_engine import GatedEngine

SENTENCE = "This sentence is spoken for about half a second or so, number"
# Takes of 70 kB each, and a file of 140 kB.
TEXT = "\n\n".join(f"  {SENTENCE} {n}." for n in range(4))
FOUR_CHUNKS = f"chunking: {{target: 40, limit: 90}}\ntext: |\n{TEXT}\n"


class SmallDisk:
    """A disk of 2 MiB, and a file that takes up what is left of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, *, leaving: int = 0) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            file.truncate(max(0, file.tell() - leaving))

    def free(self) -> None:
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cbtui.host.blocks._PATIENCE", {"disk": (0.05, 0.2), "in use": (0.05, 0.2)})
    monkeypatch.setattr("cbtui.host.blocks._PROBE_BYTES", 1 << 18)


def leftovers(places: Places) -> list[Path]:
    return [path for path in places.output.rglob("*.part") if path.is_file()]


def test_tasks_wait_while_the_disk_of_the_output_is_full_and_go_on_by_themselves(
    places: Places, disk: SmallDisk
) -> None:
    places = replace(places, output=disk.folder / "output")
    engine = FakeEngine()
    with serving(places, engine) as served:
        disk.fill(leaving=40_000)
        served.drop("a.yaml", FOUR_CHUNKS)
        row = served.until_state("jobs/a", "blocked")
        assert f"{places.output}/jobs/a/" in row.reason
        assert "no space left on the disk" in row.reason.lower()
        served.drop("b.txt", "Short.")
        served.until_state("jobs/b", "queued")
        live = LiveFile.of(places)
        served.until(lambda: "no space left on the disk" in live.read().get("hold", ""), "the hold is told")
        assert served.ask("pause", tasks=["b"]).state == "done"
        assert served.ask("resume", tasks=["b"]).state == "done"
        assert (served.state("jobs/a"), served.state("jobs/b"), leftovers(places)) == ("blocked", "queued", [])
        disk.free()
        served.until(lambda: served.store.queue.counts()["done"] == 2, "both are done")
        assert served.store.tasks.get("jobs/a").attempts == 0
        served.until_told("queued", text="there is room")


def test_a_finished_file_without_room_is_put_together_later_from_its_takes(places: Places, disk: SmallDisk) -> None:
    places = replace(places, output=disk.folder / "output")
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("a.yaml", FOUR_CHUNKS)
        engine.let(3)
        served.until(lambda: len(engine.begun) == 4, "the last chunk is under way")
        served.until(lambda: len([*places.output.glob("**/chunks/*.wav")]) == 3, "the others are written")
        disk.fill(leaving=100_000)
        engine.let()
        row = served.until_state("jobs/a", "blocked")
        assert "a.wav: no space left on the disk" in row.reason
        assert (leftovers(places), served.finals("jobs/a")) == ([], [])
        disk.free()
        served.until_state("jobs/a", "done")
        assert (len(engine.requests), len(served.finals("jobs/a"))) == (4, 1)


def test_a_full_disk_of_the_queue_loses_progress_and_nothing_else(places: Places, disk: SmallDisk) -> None:
    places = replace(places, state=disk.folder / "state")
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("a.yaml", FOUR_CHUNKS)
        served.until(lambda: engine.begun, "begun")
        disk.fill()
        engine.open()
        served.until_told("store", "jobs/a", "progress is not written: the disk that holds the queue is full")
        served.until_told("store", text="trying again until it works")
        assert "the disk that holds the queue is full" in served.host._line.hold
        assert served.state("jobs/a") == "rendering"
        assert sum(entry.task == "jobs/a" and entry.kind == "store" for entry in served.told) == 1
        disk.free()
        row = served.until_state("jobs/a", "done")
        assert row.result
        assert (row.result.rendered, len(engine.requests), served.host._line.hold) == (4, 4, "")
        served.until_told("store", text="the queue can be written again")


def test_a_host_that_ends_on_a_full_disk_leaves_a_queue_that_goes_on(places: Places, disk: SmallDisk) -> None:
    places = replace(places, state=disk.folder / "state")
    engine = GatedEngine()
    with serving(places, engine) as served:
        served.drop("a.yaml", FOUR_CHUNKS)
        served.until(lambda: engine.begun, "begun")
        disk.fill()
        engine.open()
        served.until_told("store", text="trying again until it works")
    disk.free()
    with serving(places, engine) as served:
        served.until_state("jobs/a", "done")
        assert (len(engine.requests), len(served.finals("jobs/a"))) == (4, 1)


def test_a_command_that_finds_no_room_is_none_that_was_half_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path / "queue.sqlite").store as store:
        put(store, "book/1", "book/2")
        transition = store.tasks.transition

        def full(task: str, to: object, **more: object) -> object:
            if task == "book/2":
                raise StoreFull("the disk that holds the queue is full")
            return transition(task, to, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(store.tasks, "transition", full)
        with pytest.raises(StoreFull), store.transaction():
            obey(store, "pause", {"tasks": ["*"]})
        assert [row.state for row in store.queue.page(limit=9)] == ["queued", "queued"]


def test_an_export_without_room_waits_longer_each_time(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []
    real, enough = run_in_progress.export, threading.Event()

    def export(path: Path, *more: object) -> object:
        tried.append(served.host._line._blocks.next_due() or 0.0)
        if not enough.is_set():
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, *more)  # type: ignore[arg-type]

    with serving(places) as served:
        monkeypatch.setattr(run_in_progress, "export", export)
        served.drop("a.txt", "Hello.")
        served.until(lambda: len(tried) >= 4, "tried again and again")
        (block,) = served.host._line._blocks._blocks.values()
        assert block.wait == 0.2
        enough.set()
        served.until_state("jobs/a", "done")
        served.until(lambda: not served.host._line._blocks._blocks, "forgotten")


def test_whether_there_is_room_is_never_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_room(tmp_path / "not" / "yet" / "there")

    def refuse(self: Path, *arguments: object, **more: object) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    assert has_room(tmp_path)


def test_a_task_that_another_process_renders_waits_for_it(places: Places) -> None:
    folder = places.output / "jobs" / "a"
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock, serving(places) as served:
        fcntl.flock(lock, fcntl.LOCK_EX)
        served.drop("a.txt", "Hello.")
        row = served.until_state("jobs/a", "blocked")
        assert row.reason == "another cbtui is rendering jobs/a."
        served.drop("b.txt", "Hello.")
        served.until_state("jobs/b", "done")
        fcntl.flock(lock, fcntl.LOCK_UN)
        row = served.until_state("jobs/a", "done")
        assert row.attempts == 0
        served.until(lambda: not served.host._line._blocks._blocks, "forgotten")
