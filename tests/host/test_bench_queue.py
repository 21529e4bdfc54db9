"""What benches share, and the folders that the bench of the queue works in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from cbtui.bench.figures import file_system_of, lines, machine, milliseconds, rounded, stopwatch
from cbtui.bench.folders import restart, scan
from cbtui.bench.hosting import hosting, make_places, write_text
from cbtui.bench.store import put_tasks
from cbtui.host.store import open_store, store_path
from cbtui.jobs.watching import FileAppeared, Watcher
from cbtui.jobs.watching import watcher as watcher_module


def table(figures: dict[str, object]) -> list[str]:
    return [" ".join(line.split()) for line in lines(figures)]


def test_a_figure_stands_on_a_line_with_its_unit_and_percentiles_are_one_figure() -> None:
    figures = {
        "open_seconds": 0.5,
        "bytes_per_task": 460.2,
        "page_ms": {"first": {"p50": 0.7, "p99": 1.5, "max": 2.0}},
        "bytes_per_second": {"rest": 12.0},
        "burst": {"files": 20000, "per_second": 1847.3},
    }
    assert table(figures) == [
        "open_seconds 0.5 s",
        "bytes_per_task 460.2 bytes",
        "page_ms.first p50 0.7 p99 1.5 max 2.0 ms",
        "bytes_per_second.rest 12.0 bytes/s",
        "burst.files 20000",
        "burst.per_second 1847 /s",
    ]


def test_a_ratio_stands_beside_the_figure_that_it_is_about() -> None:
    figures = {
        "insert": {"per_second": 10.0, "bare_per_second": 40.0, "ratio": 0.25},
        "change_ms": {"p50": 3.0, "p99": 4.0, "max": 5.0},
        "change": {"bare_ms": {"p50": 1.0, "p99": 1.0, "max": 1.0}, "ratio": 3.0},
    }
    assert table(figures) == [
        "insert.per_second 10.0 /s (0.25 times the baseline)",
        "insert.bare_per_second 40.0 /s",
        "change_ms p50 3.0 p99 4.0 max 5.0 ms (3.0 times the baseline)",
        "change.bare_ms p50 1.0 p99 1.0 max 1.0 ms",
    ]


def test_a_ratio_of_nothing_else_is_a_figure_of_its_own() -> None:
    assert table({"drop": {"ratio_to_fast": 3.7}, "ratio": 2.0}) == ["drop.ratio_to_fast 3.7 x", "ratio 2.0 x"]


def test_what_was_not_measured_says_so() -> None:
    assert table({"key_to_paint_ms": {"decoding": None}}) == ["key_to_paint_ms.decoding not measured"]


def test_figures_keep_four_digits_and_counts_all_of_theirs() -> None:
    assert rounded({"a": {"b": 0.0123456}, "c": 123456}) == {"a": {"b": 0.01235}, "c": 123456}


def test_what_comes_before_is_called_each_time() -> None:
    called: list[tuple[str, int]] = []
    found = milliseconds(
        lambda number: called.append(("action", number)), 2, before=lambda number: called.append(("before", number))
    )
    assert called == [("before", 0), ("action", 0), ("before", 1), ("action", 1)]
    assert 0 <= found["p50"] <= found["p99"] <= found["max"]


def test_a_stopwatch_stands_still_after_its_block() -> None:
    with stopwatch() as seconds:
        pass
    assert seconds() == seconds() >= 0


def test_the_machine_tells_what_the_figures_depend_on(tmp_path: Path) -> None:
    facts = machine("watchfiles", "no-such-package", folder=tmp_path)
    assert facts["versions"]["watchfiles"]
    assert facts["versions"]["no-such-package"] is None
    assert facts["file_system"] == file_system_of(tmp_path)


def test_the_file_system_is_that_of_the_nearest_mount_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mounted:
        def __init__(self, mountpoint: Path, fstype: str) -> None:
            self.mountpoint, self.fstype = str(mountpoint), fstype

    table = [Mounted(tmp_path / "a", "xfs"), Mounted(Path("/"), "ext4"), Mounted(tmp_path / "ab", "tmpfs")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **how: table)
    assert file_system_of(tmp_path / "a" / "b") == "xfs"
    assert file_system_of(tmp_path / "b") == "ext4"
    table.clear()
    assert file_system_of(tmp_path) is None


def test_tasks_are_put_as_they_are_asked_for(tmp_path: Path) -> None:
    with open_store(tmp_path / "queue.sqlite").store as store:
        put_tasks(store, 1001)
        assert store.queue.count() == 1001


def test_a_host_of_the_bench_queues_and_renders_nothing(tmp_path: Path) -> None:
    places = make_places(tmp_path / "home")
    write_text(places.jobs / "a.txt", 1)
    write_text(places.jobs / "b.yaml", 2)
    with hosting(places) as hosted:
        assert hosted.until_count(2) > 0
        assert hosted.store.queue.counts()["queued"] == 2
    assert not places.output.exists()


def test_a_restart_reads_only_what_is_new(tmp_path: Path) -> None:
    places = make_places(tmp_path / "home")
    write_text(places.jobs / "a.txt", 1)
    with hosting(places) as hosted:
        hosted.until_queued("jobs/a")
        before = hosted.store.tasks.get("jobs/a").changed
    assert restart(places) > 0
    with open_store(store_path(places)).store as store:
        assert store.tasks.get("jobs/a").changed == before
        assert store.queue.count() == 2


def test_a_scan_gives_a_ratio(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", 1)
    found = scan(tmp_path)
    assert found.keys() == {"seconds", "bare_seconds", "ratio"}
    assert min(found.values()) > 0


def test_what_rests_is_told_before_the_next_look_at_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # In a large folder that next look is many seconds away; here it never comes.
    monkeypatch.setattr(watcher_module, "_IDLE_SHARE", 1e9)
    looked = threading.Event()
    look = watcher_module.Tree.look

    def look_and_tell(tree: watcher_module.Tree) -> watcher_module.Sighting:
        looked.set()
        return look(tree)

    def lose(root: Path, stop: threading.Event) -> Iterator[Iterable[str]]:
        """The first hint, though empty, says that earlier ones are missing."""
        looked.wait(10.0)
        while not stop.wait(0.02):
            yield []

    monkeypatch.setattr(watcher_module.Tree, "look", look_and_tell)
    write_text(tmp_path / "a.txt", 1)
    with Watcher(tmp_path, announce=lose) as watcher:
        assert [event.path.name for event in watcher.next_batch(10.0) if isinstance(event, FileAppeared)] == ["a.txt"]
