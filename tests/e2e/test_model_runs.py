"""The real model on a test checkpoint: loaded once, quiet, and as hard to disturb as the drafts."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.e2e.home import Ended, Home, no_traceback
from tests.support.clips import rms

TWO = "text: |\n  One.\n\n  Two, said she.\nseed: 4\n"
TEXTS = {"a": TWO, "b": "text: Bee.\nseed: 5\n", "c": "text: Sea.\nseed: 6\n"}
PATIENCE = 240.0


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory, english_checkpoint: Path) -> tuple[Home, Ended]:
    """Three tasks rendered in one call, with nothing in the way."""
    home = Home(tmp_path_factory.mktemp("model"))
    for name, content in TEXTS.items():
        home.write(f"{name}.yaml", content)
    files = [home.jobs / f"{name}.yaml" for name in TEXTS]
    return home, home.cbtui("run", *files, "--model-dir", english_checkpoint, "--device", "cpu", seconds=PATIENCE)


def test_three_tasks_load_the_model_once(rendered: tuple[Home, Ended]) -> None:
    _, ended = rendered
    assert ended.status == 0, ended.err
    # They share one stream through the model, which looks it up once.
    lines = [line for line in ended.err.splitlines() if "(cache " in line]
    assert lines == ["Loading ChatterboxTTS english for device: cpu (cache miss)"]
    assert "Importing torch and chatterbox" in ended.err
    assert len(re.findall(r"^Model loaded in \d+\.\ds and cached", ended.err, re.MULTILINE)) == 1


def test_each_task_has_a_finished_file_that_sounds(rendered: tuple[Home, Ended]) -> None:
    home, ended = rendered
    assert ended.results == ["done"] * 3
    for name in TEXTS:
        samples, rate = soundfile.read(home.final(f"jobs/{name}"), dtype="float32")
        assert (rate, samples.ndim) == (24_000, 1)
        assert 0.3 < len(samples) / rate < 60
        assert np.isfinite(samples).all()
        assert rms(samples) > 1e-3


def test_each_task_has_a_complete_manifest(rendered: tuple[Home, Ended]) -> None:
    home, _ = rendered
    for name, chunks in (("a", 2), ("b", 1), ("c", 1)):
        manifest = home.manifest(f"jobs/{name}")
        assert (manifest["complete"], len(manifest["chunks"])) == (True, chunks)
        assert (manifest["engine"]["name"], manifest["engine"]["draft"]) == ("chatterbox", False)
        assert all(chunk["tokens"] > 0 for chunk in manifest["chunks"])
        assert manifest["output"]["bytes"] == home.final(f"jobs/{name}").stat().st_size


def test_nothing_of_the_libraries_reaches_the_streams(rendered: tuple[Home, Ended]) -> None:
    _, ended = rendered
    assert len(ended.out.splitlines()) == 3
    ours = (
        r"Importing torch and chatterbox|Model loaded in .*|"
        r"Rendering jobs/\w+: .*|  (jobs/\w+: )?\d+/\d+ chunks.*|(Loading|Using cached) ChatterboxTTS .*"
    )
    assert [line for line in ended.err.splitlines() if not re.fullmatch(ours, line)] == []
    assert "\r" not in ended.err


def test_a_stopped_and_killed_run_ends_with_the_same_samples(
    home: Home, rendered: tuple[Home, Ended], english_checkpoint: Path
) -> None:
    home.write("a.yaml", TWO)
    call = ("run", "--model-dir", english_checkpoint, "--device", "cpu")

    killed = home.start(*call)
    killed.wait_for("^  1/2 chunks", PATIENCE)
    assert killed.send(signal.SIGKILL).status == -signal.SIGKILL
    kept = home.takes("jobs/a")
    assert (len(kept), home.final("jobs/a").exists()) == (1, False)

    terminated = home.start(*call)
    terminated.wait_for("^Model loaded in", PATIENCE)
    ended = terminated.send(signal.SIGTERM)
    assert (ended.status, ended.results, no_traceback(ended)) == (143, ["stopped"], True)
    assert "Stopped. What is rendered is kept" in ended.err
    assert home.takes("jobs/a") == kept

    finished = home.cbtui(*call, seconds=PATIENCE)
    assert (finished.status, finished.results) == (0, ["done"])
    assert "1 of 2 chunks reused" in finished.out
    assert kept.items() <= home.takes("jobs/a").items()
    assert len(set(home.rendered_keys())) == len(home.rendered_keys()) == 2
    undisturbed, _ = rendered
    assert home.final("jobs/a").read_bytes() == undisturbed.final("jobs/a").read_bytes()


def test_what_is_up_to_date_loads_no_model(rendered: tuple[Home, Ended], english_checkpoint: Path) -> None:
    home, _ = rendered
    again = home.cbtui("run", "--model-dir", english_checkpoint, "--device", "cpu")
    assert (again.status, again.results) == (0, ["skipped"] * 3)
    assert "Loading" not in again.err


def test_the_cache_proves_itself(home: Home, english_checkpoint: Path) -> None:
    ended = home.cbtui("cache", "test", "--model-dir", english_checkpoint, "--device", "cpu", seconds=PATIENCE)
    assert ended.status == 0
    kinds = [re.search(r"cache (miss|hit)|Cache (cleared)", line) for line in ended.out.splitlines()]
    assert [kind[1] or kind[2] for kind in kinds if kind] == ["miss", "hit", "cleared", "miss"]
    assert ended.out.splitlines()[-1] == "The cache works: miss, hit, clear, miss."
    assert ended.err == ""
    explained = home.cbtui("--explain-cache")
    assert re.search(r"On this machine the last load took: english@cpu \d+\.\d s\.", explained.out)
