"""`cbtui bench load|voice|decode|render` on the test checkpoint. What the figures are is the machine's affair."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.home import Home

SECONDS = 240


def figures(home: Home, checkpoint: Path, *arguments: str) -> Any:
    ended = home.cbtui(
        "bench",
        *arguments,
        "--model-dir",
        str(checkpoint),
        "--rounds",
        "1",
        "--device",
        "cpu",
        "--json",
        seconds=SECONDS,
    )
    assert ended.status == 0, ended.err
    content = json.loads(ended.out)
    assert (content["version"], content["bench"]) == (1, arguments[0])
    assert content["machine"]["versions"]["chatterbox-tts"]
    return content["figures"]


def test_ours_is_measured_against_the_librarys(home: Home, english_checkpoint: Path) -> None:
    given = figures(home, english_checkpoint, "render", "--chunks", "2", "--batch", "2")
    assert set(given) == {"stock", "exact", "fast"}
    assert all(given[side]["speedup"] > 0 and given[side]["vocode_speedup"] > 0 for side in ("exact", "fast"))
    assert all(0 < each["vocode_seconds"] < each["seconds"] for each in given.values())
    assert all(each["speech_seconds"] > 0 for each in given.values())


def test_a_signal_ends_the_process_that_measures_too(home: Home, english_checkpoint: Path) -> None:
    bench = home.start("bench", "load", "--model-dir", str(english_checkpoint), "--device", "cpu")
    bench.wait_for("stock, 1 of 3")
    children: list[psutil.Process] = []
    while not children:
        assert bench.process.poll() is None
        time.sleep(0.05)
        children = psutil.Process(bench.process.pid).children(recursive=True)
    ended = bench.send(signal.SIGTERM)
    assert ended.status == 128 + signal.SIGTERM
    assert not any(child.is_running() for child in children)


def test_a_measurement_that_fails_says_why(home: Home, tmp_path: Path) -> None:
    ended = home.cbtui("bench", "load", "--model-dir", str(tmp_path), "--rounds", "1", seconds=SECONDS)
    assert ended.status == 1
    assert f"cbtui bench load: the model folder {tmp_path} lacks" in ended.err
    assert "Traceback" not in ended.err
