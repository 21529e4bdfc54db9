"""Folders: moved in, nested, filled in an instant, in a burst, deleted, made again, not readable."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from cbtui.jobs.scan import natural_order
from cbtui.paths import Places
from tests.host.serving import DEADLINE, Served, serving
from tests.support.fake_engine import FakeEngine
from tests.support.fake_host import places_in

BURST = 20_000


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"Hello {name}.")


def test_a_folder_moved_in_is_taken_with_all_below_it(served: Served, tmp_path: Path) -> None:
    fill(tmp_path / "book", "1.txt", "part/2.txt", "part/deep/er/3.md", "x.txt/4.txt")
    (tmp_path / "book").rename(served.places.jobs / "book")
    for task in ("book/1", "book/part/2", "book/part/deep/er/3", "book/x.txt/4"):
        served.until_state(task, "done")


def test_a_folder_made_and_filled_in_an_instant_is_taken(served: Served) -> None:
    for number in range(10):
        fill(served.places.jobs / f"job-{number}" / "sub", "a.txt", "b.txt")
    served.until(lambda: served.store.queue.counts()["done"] == 20, "all of them")


def test_a_folder_renamed_keeps_its_tasks_in_their_places(served: Served, engine: FakeEngine) -> None:
    served.ask("pause")
    fill(served.places.jobs / "old", "1.txt", "2.txt", "10.txt")
    served.until_state("old/10", "queued")
    served.drop("last.txt", "Hello.")
    served.until_state("jobs/last", "queued")
    (served.places.jobs / "old").rename(served.places.jobs / "new")
    served.until_state("new/10", "queued")
    assert [row.id for row in served.store.queue.page(limit=9)] == ["new/1", "new/2", "new/10", "jobs/last"]


def test_a_burst_of_files_is_queued_in_natural_order_while_commands_are_answered(served: Served) -> None:
    served.ask("pause")
    for number in reversed(range(BURST)):
        (served.places.jobs / f"{number}.txt").write_text("Hello.")
    assert served.ask("priority", tasks=["*"], to=0).state in {"done", "refused"}
    assert served.store.queue.counts()["queued"] < BURST
    served.until(lambda: served.store.queue.counts()["queued"] == BURST, "all of them", 100)
    sources = [row.source for row in served.store.queue.page(limit=BURST)]
    # Each look puts what it found into the natural order; the last files came first.
    looks = sum(later != natural_order([earlier, later])[1] for earlier, later in pairwise(sources))
    assert looks < BURST / 100


def test_a_deleted_jobs_directory_cancels_what_waits_and_takes_new_files_once_it_is_there(served: Served) -> None:
    served.ask("pause")
    served.drop("a.txt", "Hello a.")
    served.drop("sub/b.txt", "Hello b.")
    served.until_state("sub/b", "queued")
    shutil.rmtree(served.places.jobs)
    served.until_told("folder", text="no such file")
    assert served.states() == {"jobs/a": "queued", "sub/b": "queued"}
    served.places.jobs.mkdir()
    served.drop("c.txt", "Hello c.")
    served.until_state("jobs/c", "queued")
    served.until_state("jobs/a", "cancelled")
    served.until_state("sub/b", "cancelled")
    served.drop("sub/b.txt", "Hello b.")
    served.until_state("sub/b", "queued")


def test_a_jobs_directory_moved_away_and_back_loses_nothing(served: Served) -> None:
    served.ask("pause")
    served.drop("a.txt", "Hello a.")
    served.until_state("jobs/a", "queued")
    served.places.jobs.rename(f"{served.places.jobs}-away")
    served.until_told("folder", text="no such file")
    Path(f"{served.places.jobs}-away").rename(served.places.jobs)
    served.until_told("folder", text="over:")
    served.drop("b.txt", "Hello b.")
    served.until_state("jobs/b", "queued")
    assert served.states() == {"jobs/a": "queued", "jobs/b": "queued"}


def test_a_jobs_directory_that_is_missing_at_the_start_is_made(places: Places) -> None:
    assert not places.jobs.exists()
    with serving(places) as served:
        served.drop("a.txt", "Hello.")
        served.until_state("jobs/a", "done")


def test_a_deleted_folder_cancels_what_waits_in_it(served: Served) -> None:
    served.ask("pause")
    fill(served.places.jobs / "book", "1.txt", "part/2.txt")
    served.until_state("book/part/2", "queued")
    shutil.rmtree(served.places.jobs / "book")
    served.until_state("book/1", "cancelled")
    served.until_state("book/part/2", "cancelled")


def test_a_jobs_directory_behind_a_link_is_watched(places: Places, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    places.jobs.symlink_to(tmp_path / "real")
    with serving(places) as served:
        (tmp_path / "real" / "a.txt").write_text("Hello.")
        row = served.until_state("jobs/a", "done")
        assert row.source == places.jobs / "a.txt"
        fill(places.jobs / "sub", "text.txt")
        (places.jobs / "sub" / "b.yaml").write_text("text_file: text.txt\n")
        served.until_state("sub/b", "done")
        served.until(lambda: set(served.states()) == {"jobs/a", "sub/b"}, "the text is no task of its own")


PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def read_by_permission_alone() -> None:
    """In the child: what it executes next may read what its permissions say, also as root."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH) if os.getuid() == 0 else ():
        assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


class Apart:
    """A host in a process of its own, which may not read everything. `told` are the entries of its journal."""

    def __init__(self, root: Path) -> None:
        self.places = places_in(root)
        self._log = root / "journal"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fake_host", root],
                preexec_fn=read_by_permission_alone,  # noqa: PLW1509 - it calls the system and nothing else
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
            )

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def until_told(self, event: str, text: str, *, times: int = 1) -> None:
        end = time.monotonic() + DEADLINE
        while sum(each["event"] == event and text in json.dumps(each) for each in self.told) < times:
            assert time.monotonic() < end, f"did not come: {event} {text}\n{self._log.read_text()}"
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.02)

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(DEADLINE)


def test_what_may_not_be_read_is_told_of_and_taken_once_it_may_be(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    fill(jobs, "closed/a.txt", "secret.txt", "fine.txt")
    (jobs / "closed").chmod(0)
    (jobs / "secret.txt").chmod(0)
    host = Apart(tmp_path)
    try:
        host.until_told("done", "jobs/fine")
        host.until_told("folder", "closed: permission denied")
        host.until_told("invalid", "secret.txt: permission denied: make the file readable")
        (jobs / "closed").chmod(0o755)
        (jobs / "secret.txt").chmod(0o644)
        host.until_told("folder", "over: ")
        host.until_told("done", "closed/a")
        host.until_told("done", "jobs/secret")
        (jobs / "closed").chmod(0)
        host.until_told("folder", "closed: permission denied", times=3)
        assert not [each for each in host.told if each["event"] == "cancelled"], "what is known there stands"
    finally:
        host.end()
        (jobs / "closed").chmod(0o755)


def test_what_is_there_at_the_start_is_taken_in_once_all_of_it_is_read(places: Places) -> None:
    fill(places.jobs, *(f"{number}.txt" for number in range(300)))
    (places.jobs / "empty.txt").touch()
    with serving(places) as served:
        counts = served.store.queue.counts()
        assert (sum(counts.values()), counts["invalid"]) == (301, 1)
