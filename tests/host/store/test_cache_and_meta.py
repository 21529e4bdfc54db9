"""Cache look-ups and what holds for the whole queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.core.events import CacheEvent
from cbtui.engine.cache_log import LayerSum
from cbtui.host.store import OutOfRange, Store, attach_store

MISS = CacheEvent("chunk", "k1", hit=False, seconds=2.0, message="new text", at=1.0)
HIT = CacheEvent("chunk", "k1", hit=True, saved=2.0, at=2.0)
LOAD = CacheEvent("model", "english@cuda", hit=False, seconds=20.0, at=0.5)


def test_look_ups_come_back_oldest_first(store: Store) -> None:
    store.cache_events.append([LOAD, MISS, HIT])
    assert [event for _, event in store.cache_events.newest(2)] == [MISS, HIT]


def test_look_ups_after_one_already_seen(store: Store) -> None:
    store.cache_events.append([LOAD, MISS])
    seen = store.cache_events.newest(10)[-1][0]
    store.cache_events.append([HIT])
    assert [event for _, event in store.cache_events.newest(10, after=seen)] == [HIT]


def test_sums_by_layer(store: Store) -> None:
    store.cache_events.append([LOAD, MISS])
    store.cache_events.append([HIT, HIT])
    assert store.cache_events.sums() == (
        LayerSum("model", 0, 1, 20.0, 0.0),
        LayerSum("voice", 0, 0, 0.0, 0.0),
        LayerSum("chunk", 2, 1, 2.0, 4.0),
    )


def test_sums_outlive_the_look_ups(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cbtui.host.store.cache_events._EVENTS_KEPT", 3)
    store.cache_events.append([HIT] * 10)
    assert len(store.cache_events.newest(100)) == 3
    assert store.cache_events.sums()[2].hits == 10


def test_appending_nothing_keeps_what_is_there(store: Store) -> None:
    store.cache_events.append([HIT])
    store.cache_events.append([])
    assert len(store.cache_events.newest(10)) == 1


def test_look_ups_are_written_all_or_none(store: Store) -> None:
    with pytest.raises(OutOfRange):
        store.cache_events.append([HIT, CacheEvent("chunk", "k", hit=True, saved=float("inf"))])
    assert store.cache_events.newest(10) == ()


def test_a_halt_of_the_queue_is_seen_by_others_and_can_end(store: Store, path: Path) -> None:
    with attach_store(path) as viewer:
        assert not viewer.meta.paused
        store.meta.set_paused(True)
        assert viewer.meta.paused
        viewer.meta.set_paused(False)
    assert not store.meta.paused


def test_words_of_the_host_by_name(store: Store) -> None:
    assert store.meta.get("host-pid") == ""
    store.meta.set("host-pid", "41")
    store.meta.set("host-pid", "42")
    assert store.meta.get("host-pid") == "42"
