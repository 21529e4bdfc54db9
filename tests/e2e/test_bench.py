"""`cbtui bench`: figures for people and for scripts, and nothing left behind. What they are is the machine's affair."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.home import Home, no_traceback

SMALL = ("--tasks", "300", "--burst", "50", "--drops", "5")
SECONDS = 200.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user whose temporary files go to a folder of their own."""
    (tmp_path / "tmp").mkdir()
    return Home(tmp_path, {"TMPDIR": str(tmp_path / "tmp")})


def left_behind(home: Home) -> list[Path]:
    """What a bench left in the folders of the user."""
    folders = (home.root / "tmp", home.jobs, home.output, home.state)
    return [path for folder in folders for path in folder.rglob("*")]


def leaves(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def percentiles_of(name: str) -> set[str]:
    return {f"{name}.{each}" for each in ("p50", "p99", "max")}


FIGURES = {
    *("tasks", "bytes_per_task", "open_seconds"),
    *("insert.per_second", "insert.bare_per_second", "insert.ratio"),
    *percentiles_of("change_ms"),
    *percentiles_of("change.bare_ms"),
    "change.ratio",
    *(
        each
        for page in ("first", "middle", "of_a_state", "unfinished", "of_a_name", "screen")
        for each in percentiles_of(f"page_ms.{page}")
    ),
    *(each for since in ("nothing", "one_task", "250_tasks") for each in percentiles_of(f"since_ms.{since}")),
    *percentiles_of("work_ms"),
    *("intake.files", "intake.seconds", "intake.per_second"),
    *("scan.files", "scan.seconds", "scan.bare_seconds", "scan.ratio", "restart_seconds"),
    *percentiles_of("drop_to_queued_ms"),
    *percentiles_of("drop.poll_ms"),
    *percentiles_of("drop.watchfiles_fast_ms"),
    *percentiles_of("drop.watchfiles_defaults_ms"),
    *("drop.ratio_to_fast", "drop.ratio_to_defaults"),
    *("burst.files", "burst.write_seconds", "burst.seconds", "burst.per_second", "burst.middle_drop_ms"),
    *percentiles_of("burst.wait_ms"),
    *("burst.scan.seconds", "burst.scan.bare_seconds", "burst.scan.ratio", "burst.restart_seconds"),
}


def test_the_queue_s_figures_as_one_object(home: Home) -> None:
    ended = home.cbtui("bench", "queue", *SMALL, "--json", seconds=SECONDS)
    assert (ended.status, left_behind(home)) == (0, []), ended.err
    content = json.loads(ended.out)
    assert content.keys() == {"version", "bench", "machine", "figures"}
    assert (content["version"], content["bench"]) == (1, "queue")
    assert content["machine"].keys() == {"system", "cores", "python", "sqlite", "versions", "file_system"}
    assert content["machine"]["versions"]["watchfiles"]
    figures = dict(leaves(content["figures"]))
    assert figures.keys() == FIGURES
    assert all(math.isfinite(value) and value > 0 for value in figures.values())
    assert (figures["tasks"], figures["burst.files"]) == (300, 50)


def test_the_queue_s_figures_as_a_table(home: Home) -> None:
    ended = home.cbtui("bench", "queue", *SMALL, seconds=SECONDS)
    assert (ended.status, left_behind(home)) == (0, []), ended.err
    rows = [line.split() for line in ended.out.splitlines()]
    named = {row[0]: row[1:] for row in rows}
    assert len(named) == len(rows)
    assert named["drop_to_queued_ms"][-1] == "ms"
    assert named["insert.per_second"][-3:] == ["times", "the", "baseline)"]
    # Progress is for people, and no part of the result.
    assert "dropping 5 files" in ended.err


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("a store of", signal.SIGINT),
        ("the first start", signal.SIGTERM),
        ("dropping", signal.SIGINT),
        ("a burst", signal.SIGHUP),
    ],
)
def test_a_signal_leaves_nothing_behind(home: Home, moment: str, number: signal.Signals) -> None:
    bench = home.start("bench", "queue", "--tasks", "3000", "--burst", "20000", "--drops", "3")
    bench.wait_for(moment)
    ended = bench.send(number)
    assert (ended.status, ended.out, left_behind(home)) == (128 + number, "", [])
    assert no_traceback(ended)


def test_a_temporary_folder_that_cannot_be_written_is_told(home: Home) -> None:
    ended = home.cbtui("bench", "queue", *SMALL, "--json", preexec_fn=_allow_no_files)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("cbtui bench queue: ")
    assert no_traceback(ended)
    assert left_behind(home) == []


def _allow_no_files() -> None:
    """A limit that works for root as well: no file may grow."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize("arguments", [[], ["voices"], ["queue", "--tasks", "0"], ["queue", "--drops", "-3"]])
def test_wrong_usage_is_told_before_anything_is_measured(home: Home, arguments: list[str]) -> None:
    ended = home.cbtui("bench", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("usage: cbtui bench")
