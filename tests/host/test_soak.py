"""Thousands of tasks through one host: what a process holds stays what it was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scipy.stats import theilslopes

ROOT = Path(__file__).parents[2]
TASKS = 3000
SAMPLES = 20
# The first tasks fill caches and pools.
WARM_UP = 4
# Measured: 0.07. A thing that is kept of every task would be 1 or more.
MOST_BLOCKS_A_TASK = 0.3
# Measured: 340 to 620, all of it SQLite's page caches (2 MB a connection at most) on their way to their bound; pages
# come and go with other things too. One take that is kept outside of Python's heap would be 20,000.
MOST_BYTES_A_TASK = 4000.0


@pytest.mark.timeout(500)
def test_memory_threads_and_descriptors_stay_flat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "tests.support.soak", str(tmp_path), str(TASKS), str(SAMPLES)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    samples = [json.loads(line) for line in told.splitlines()][WARM_UP:]
    assert len(samples) == SAMPLES - WARM_UP

    def slope(what: str) -> float:
        """The median of the slopes between each two: one odd sample counts little."""
        rise = theilslopes([sample[what] for sample in samples], [sample["done"] for sample in samples])
        return float(rise.slope)

    threads, descriptors = ({sample[what] for sample in samples} for what in ("threads", "descriptors"))
    with capsys.disabled():
        print(
            f"\nsoak of {TASKS} tasks: {slope('blocks'):.2f} objects and {slope('memory'):.0f} bytes a task, "
            f"{threads} threads, {descriptors} descriptors"
        )
    assert slope("blocks") < MOST_BLOCKS_A_TASK
    assert slope("memory") < MOST_BYTES_A_TASK
    assert max(threads) <= min(threads) + 1
    assert max(descriptors) <= min(descriptors) + 3
