"""The log of look-ups: whole lines, whatever happens, and sums that add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.core.events import CacheEvent
from cbtui.engine import cache_log
from cbtui.engine.cache_log import CacheLog, last_load_seconds, read_cache_log, sum_layers

MISS = CacheEvent("model", "english@cpu", hit=False, seconds=8.5, message="…", at=1.0)
HIT = CacheEvent("model", "english@cpu", hit=True, saved=8.5, at=2.0)


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "log.jsonl"
    for event in (MISS, HIT):
        CacheLog(path).append(event)
    assert list(read_cache_log(path)) == [MISS, HIT]


def test_sums_are_by_layer(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for event in (MISS, HIT, HIT, CacheEvent("chunk", "k", hit=False, seconds=2.0)):
        CacheLog(path).append(event)
    model, voice, chunk = sum_layers(path)
    assert (model.hits, model.misses, model.seconds_spent, model.seconds_saved) == (2, 1, 8.5, 17.0)
    assert (voice.hits, voice.misses) == (0, 0)
    assert (chunk.misses, chunk.seconds_spent) == (1, 2.0)


def test_the_newest_load_of_each_model_counts(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for seconds in (9.0, 7.0):
        CacheLog(path).append(CacheEvent("model", "english@cpu", hit=False, seconds=seconds))
    assert last_load_seconds(path) == {"english@cpu": 7.0}


def test_a_line_that_a_crash_cut_off_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    CacheLog(path).append(MISS)
    with path.open("a") as file:
        file.write('{"layer": "mod\nnot json\n[]\n')
    CacheLog(path).append(HIT)
    assert list(read_cache_log(path)) == [MISS, HIT]


def test_the_log_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_log, "_MAX_BYTES", 2_000)
    path = tmp_path / "log.jsonl"
    for _ in range(100):
        CacheLog(path).append(MISS)
    assert sum(part.stat().st_size for part in tmp_path.iterdir()) < 5_000
    assert len(list(read_cache_log(path))) > 5


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(read_cache_log(tmp_path / "none")) == []
    assert [each.hits for each in sum_layers(tmp_path / "none")] == [0, 0, 0]
