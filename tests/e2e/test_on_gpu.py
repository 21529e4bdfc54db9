"""The checks that want a GPU are ready to run: here, their steps on the CPU. The benches have tests of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.on_gpu", *arguments]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_every_step_goes_through_where_there_is_none() -> None:
    # One model: the others' decoding is compared in tests of its own.
    ended = run("--device", "cpu", "--no-benches", "--models", "multilingual", "--speech", "9", "4")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout[ended.stdout.index("{") :])
    assert set(found["against_the_cpu"]) == set(found["graphs"]) == {"multilingual"}
    assert found["speaking"]["exact"]["chunks"] == 2
    assert found["memory_panel"]["used_by_us_bytes"] > found["memory_panel"]["held_bytes"]


def test_without_a_gpu_it_says_so() -> None:
    if torch.cuda.is_available():
        return
    ended = run()
    assert ended.returncode == 2
    assert "no GPU" in ended.stderr
