"""The benches run, and give every figure that they promise. What the figures are is the machine's affair."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cbtui.bench.figures import percentiles
from tests.e2e.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, {"TMPDIR": str(tmp_path)})


def leaves(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def figures_of(home: Home, *arguments: str) -> dict[str, Any]:
    ended = home.cbtui("bench", *arguments, "--json", seconds=200.0)
    assert ended.status == 0, ended.err
    content = json.loads(ended.out)
    assert (content["version"], content["bench"]) == (1, arguments[0])
    assert content["machine"]["cores"] >= 1
    assert not list(home.root.glob("cbtui-bench-*"))
    return dict(leaves(content["figures"]))


def test_the_bench_of_the_queue(home: Home) -> None:
    figures = figures_of(home, "queue", "--tasks", "300", "--burst", "50", "--drops", "5")
    assert all(math.isfinite(value) and value >= 0 for value in figures.values())
    assert {
        "bytes_per_task",
        "open_seconds",
        "insert.ratio",
        "change_ms.p99",
        "change.ratio",
        "page_ms.first.p99",
        "since_ms.250_tasks.p99",
        "drop_to_queued_ms.p50",
        "drop_to_queued_ms.p99",
        "drop.ratio_to_fast",
        "burst.seconds",
        "burst.wait_ms.p99",
        "burst.scan.ratio",
        "burst.restart_seconds",
    } <= figures.keys()


def test_the_bench_of_the_screen(home: Home) -> None:
    figures = figures_of(home, "ui", "--tasks", "200", "--starts", "1", "--keys", "5")
    assert {
        "first_paint.ratio",
        "key_to_paint_ms.idle.p50",
        "key_to_paint_ms.idle.p99",
        "bytes_per_second.rest",
        "bytes_per_second.load",
        "memory.viewer_bytes",
    } <= figures.keys()
    # Without a checkpoint there is no model to decode with, and no figure is made up for it.
    assert (figures["key_to_paint_ms.decoding"], figures["key_to_paint_ms.loading"]) == (None, None)


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert percentiles(range(1, 101)) == {"p50": 50.5, "p99": 99, "max": 100}
    assert percentiles([3.0]) == {"p50": 3.0, "p99": 3.0, "max": 3.0}
