"""A host that is killed again and again at random moments loses nothing, makes nothing twice and halves no file."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile

from cbtui.host.store import attach_store, store_path
from cbtui.paths import Places
from tests.support.fake_host import places_in

FOLDERS = 2
# In each.
TASKS = 30
CHUNKS = 24
KILLS = 50
# A chunk takes 30 ms; starting, half a second. So the moments fall into everything that a host does.
LONGEST_LIFE = 1.0  # seconds
# On a busy machine many a host dies before its first chunk; that quarantines a task, which is another test.
OPTIONS = ("--chunk-seconds=0.03", "--most-deaths=1000")
DEADLINE = 300.0
ROOT = Path(__file__).parents[2]


def start(places: Places) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.fake_host", str(places.jobs.parent), *OPTIONS]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def write_tasks(places: Places) -> None:
    places.jobs.mkdir(parents=True)
    for number in range(TASKS):
        words = (f"Task {number} says sentence {each} of its own." for each in range(CHUNKS))
        text = "\n\n".join(f"  {sentence}" for sentence in words)
        content = f"chunking: {{target: 40, limit: 60}}\ntext: |\n{text}\n"
        (places.jobs / f"{number:02d}.yaml").write_text(content)


def finals(places: Places) -> dict[Path, tuple[int, int]]:
    """Every finished file, with what changes when it is made again."""
    return {
        path: (status.st_ino, status.st_mtime_ns)
        for path in places.output.glob("*/*/*/*.wav")
        for status in [path.stat()]
    }


def assert_kept(before: dict[Path, tuple[int, int]], after: dict[Path, tuple[int, int]]) -> None:
    changed = {path: (stamp, after.get(path)) for path, stamp in before.items() if after.get(path) != stamp}
    assert not changed, "a finished file was made again, or vanished"


def check_whole(final: Path) -> None:
    manifest = json.loads((final.parent / "manifest.json").read_text())
    info = soundfile.info(final)
    assert info.frames > CHUNKS * 1000
    if manifest["complete"]:
        assert (info.frames, final.stat().st_size) == (manifest["output"]["samples"], manifest["output"]["bytes"])


def wait_until_done(places: Places, host: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE
    with attach_store(store_path(places)) as store:
        while store.queue.counts()["done"] < TASKS:
            assert time.monotonic() < deadline, store.queue.counts()
            assert host.poll() is None
            time.sleep(0.05)


def kill_again_and_again(folder: Path, seed: int) -> None:
    places = places_in(folder)
    write_tasks(places)
    moments = random.Random(seed)
    seen: dict[Path, tuple[int, int]] = {}
    for _ in range(KILLS):
        host = start(places)
        # The one test that wants an arbitrary moment rather than a condition.
        time.sleep(moments.uniform(0.0, LONGEST_LIFE))
        host.kill()
        host.wait()
        now = finals(places)
        assert_kept(seen, now)
        for final in now.keys() - seen.keys():
            check_whole(final)
        seen = now
    assert len(seen) < TASKS, "the last kills hit nothing: make the tasks longer"

    host = start(places)
    try:
        wait_until_done(places, host)
        host.send_signal(signal.SIGTERM)
        assert host.wait(timeout=10) == 128 + signal.SIGTERM
    finally:
        host.kill()
        host.wait()

    made = finals(places)
    assert_kept(seen, made)
    assert sorted(path.parent.parent.name for path in made) == [f"{number:02d}" for number in range(TASKS)]
    for final in made:
        check_whole(final)
    assert not [path for path in folder.rglob("*.part") if path.is_relative_to(places.output)]
    connection = sqlite3.connect(store_path(places))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM tasks WHERE run IS NULL").fetchone() == (0,)
    connection.close()


@pytest.mark.timeout(700)
def test_hosts_killed_a_hundred_times_finish_every_task_once(tmp_path: Path) -> None:
    """Each in a folder of its own, at the same time: most of it is waiting."""
    with ThreadPoolExecutor(FOLDERS) as pool:
        folders = [tmp_path / str(number) for number in range(FOLDERS)]
        for done in [pool.submit(kill_again_and_again, folder, seed) for seed, folder in enumerate(folders)]:
            done.result()
