"""Chunk after chunk through one model: what the process holds stays what it was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from scipy.stats import theilslopes

ROOT = Path(__file__).parents[2]
# Of a thousand chunks, which `python -m tests.support.engine_soak` renders in some minutes.
CHUNKS = 40
PARTS = 5
# Measured over a thousand chunks: 1. A request that is kept would be 20 or more.
MOST_BLOCKS_A_CHUNK = 10.0


def test_nothing_of_a_chunk_is_kept() -> None:
    command = [sys.executable, "-m", "tests.support.engine_soak", "--chunks", str(CHUNKS), "--parts", str(PARTS)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    # The first chunks fill caches.
    parts = [json.loads(line) for line in told.splitlines() if line.startswith("{")][1:]
    assert [part["chunks"] for part in parts] == list(range(2 * CHUNKS // PARTS, CHUNKS + 1, CHUNKS // PARTS))
    assert all(part["spoken"] == CHUNKS // PARTS for part in parts)
    assert {part["hooks"] for part in parts} == {0}
    assert len({part["threads"] for part in parts}) == 1
    slope = theilslopes([part["blocks"] for part in parts], [part["chunks"] for part in parts]).slope
    assert slope < MOST_BLOCKS_A_CHUNK
