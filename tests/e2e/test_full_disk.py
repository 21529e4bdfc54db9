"""No room: the reason is told with the path, nothing half-written stays, and the same call finishes later.

A limit on the size of files stands for the full disk: it needs no rights and stops writing in the middle as well.
"""

from __future__ import annotations

import resource
from collections.abc import Callable

import pytest

from tests.e2e.home import Home, no_traceback, paragraphs

CHUNKS = 8


def _limit(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _finishes_when_there_is_room(home: Home) -> bool:
    ended = home.run()
    return (ended.status, ended.results, home.leftovers()) == (0, ["done"], [])


def test_a_take_that_finds_no_room_is_told_and_leaves_nothing(home: Home) -> None:
    home.write("a.yaml", paragraphs(CHUNKS))
    ended = home.run(preexec_fn=_limit(50_000))
    assert (ended.status, ended.results) == (1, ["failed"])
    assert f"{home.runs('jobs/a')[0] / 'chunks'}/0001-" in ended.out or "/chunks/0002-" in ended.out
    assert no_traceback(ended)
    assert (home.takes("jobs/a"), home.leftovers()) == ({}, [])
    assert _finishes_when_there_is_room(home)


def test_a_finished_file_that_finds_no_room_is_told_and_its_takes_stay(home: Home) -> None:
    home.write("a.yaml", paragraphs(CHUNKS))
    ended = home.run(preexec_fn=_limit(400_000))
    assert (ended.status, ended.results) == (1, ["failed"])
    assert f"{home.final('jobs/a')}: " in ended.out
    assert "bytes were to be written" in ended.out
    assert not home.final("jobs/a").exists()
    takes = home.takes("jobs/a")
    assert (len(takes), home.leftovers(), home.manifest("jobs/a")["complete"]) == (CHUNKS, [], False)
    assert _finishes_when_there_is_room(home)
    assert home.takes("jobs/a") == takes


@pytest.mark.parametrize("size", [0, 100, 600])
def test_even_a_manifest_that_finds_no_room_is_told_with_its_path(home: Home, size: int) -> None:
    home.write("a.yaml", paragraphs(2))
    ended = home.run(preexec_fn=_limit(size))
    assert (ended.status, ended.results) == (1, ["failed"])
    assert "manifest.json: " in ended.out
    assert (no_traceback(ended), home.leftovers()) == (True, [])
    assert _finishes_when_there_is_room(home)


def test_a_log_that_finds_no_room_fails_no_task(home: Home) -> None:
    home.write("a.yaml", paragraphs(2))
    home.state.mkdir()
    for log in ("cache-events.jsonl", "cbtui.log"):
        (home.state / log).write_bytes(b"\n" * 900_000)
    ended = home.run(preexec_fn=_limit(900_000))
    assert (ended.status, ended.results) == (0, ["done"])


def test_other_tasks_render_where_one_finds_no_room(home: Home) -> None:
    home.write("a.yaml", paragraphs(CHUNKS))
    home.write("b.yaml", "text: Short.")
    ended = home.run(preexec_fn=_limit(400_000))
    assert (ended.status, ended.results) == (1, ["failed", "done"])
