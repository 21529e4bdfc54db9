"""Which task is next: priorities, then what is loaded, and nobody waits behind more than so many others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given

from cbtui.core.stamp import Stamp
from cbtui.host.options import HostOptions
from cbtui.host.scheduler import Need, choose
from cbtui.host.store import Progress, TaskRow
from cbtui.host.summary import queue_facts
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine

MODELS = ("chatterbox/english", "chatterbox/turbo", "espeak")
NEEDS = st.tuples(st.sampled_from(MODELS), st.sampled_from("ab"), st.integers(-1, 1))


def make_row(number: int, model: str = "m", voice: str = "v", priority: int = 0, overtaken: int = 0) -> TaskRow:
    return TaskRow(
        number=number,
        id=f"job/{number}",
        source=Path(f"/jobs/{number}.txt"),
        stamp=Stamp(1, number, 1, 1),
        digest="d",
        priority=priority,
        position=number,
        state="queued",
        reason="",
        problems=(),
        attempts=0,
        deaths=0,
        progress=Progress(),
        result=None,
        added=0.0,
        started=None,
        finished=None,
        changed=number,
        model=model,
        voice=voice,
        characters=10,
        overtaken=overtaken,
        fresh=False,
    )


def pick_all(rows: list[TaskRow], most: int, loaded: frozenset[str] = frozenset()) -> list[TaskRow]:
    """Work a queue off as the line does; returns the tasks in the order they were picked."""
    waiting = sorted(rows, key=lambda row: (-row.priority, row.position))
    picked: list[TaskRow] = []
    while waiting:
        last = Need(picked[-1].model, picked[-1].voice) if picked else None
        choice = choose(waiting, last, loaded, most)
        assert choice is not None
        ahead = {*choice.overtakes}
        picked.append(choice.task)
        waiting = [
            replace(row, overtaken=row.overtaken + (row.id in ahead))
            for row in waiting
            if row.number != choice.task.number
        ]
    return picked


def numbers(rows: list[TaskRow]) -> list[int]:
    return [row.number for row in rows]


def test_an_empty_queue_has_no_next() -> None:
    assert choose([], None, (), 8) is None


def test_a_priority_goes_before_the_order_and_before_what_is_loaded() -> None:
    rows = [make_row(1, "m"), make_row(2, "m"), make_row(3, "other", priority=1)]
    assert numbers(pick_all(rows, most=8)) == [3, 1, 2]


def test_tasks_of_the_loaded_model_go_together() -> None:
    rows = [make_row(number, model) for number, model in enumerate("ababab")]
    assert numbers(pick_all(rows, most=8)) == [0, 2, 4, 1, 3, 5]


def test_of_one_model_tasks_of_one_voice_go_together() -> None:
    rows = [make_row(number, voice=voice) for number, voice in enumerate("ababab")]
    assert numbers(pick_all(rows, most=8)) == [0, 2, 4, 1, 3, 5]


def test_a_model_that_is_loaded_goes_before_one_that_is_not() -> None:
    rows = [make_row(1, "cold"), make_row(2, "warm")]
    assert numbers(pick_all(rows, most=8, loaded=frozenset({"warm"}))) == [2, 1]


def test_a_voice_costs_less_than_a_model() -> None:
    rows = [make_row(1, "other", "a"), make_row(2, "m", "b")]
    choice = choose(rows, Need("m", "a"), {"m", "other"}, 8)
    assert choice
    assert (choice.task.number, choice.overtakes, choice.spared) == (2, ("job/1",), True)


def test_who_was_overtaken_often_enough_is_next() -> None:
    rows = [make_row(0, "cold", overtaken=3), *(make_row(number, "warm") for number in range(1, 9))]
    choice = choose(rows, Need("warm", "v"), {"warm"}, 3)
    assert choice
    assert (choice.task.number, choice.spared) == (0, False)


@given(st.lists(NEEDS, max_size=40))
def test_without_overtaking_the_order_is_strict(needs: list[tuple[str, str, int]]) -> None:
    rows = [make_row(number, *need) for number, need in enumerate(needs)]
    assert pick_all(rows, most=0) == sorted(rows, key=lambda row: (-row.priority, row.position))


@given(st.lists(NEEDS, max_size=40), st.integers(0, 5), st.frozensets(st.sampled_from(MODELS)))
def test_no_task_is_overtaken_by_more_than_allowed(
    needs: list[tuple[str, str, int]], most: int, loaded: frozenset[str]
) -> None:
    rows = [make_row(number, *need) for number, need in enumerate(needs)]
    picked = pick_all(rows, most, loaded)
    assert [row.priority for row in picked] == sorted((row.priority for row in rows), reverse=True)
    for index, row in enumerate(picked):
        went_before = [other for other in picked[:index] if other.priority == row.priority]
        assert sum(other.position > row.position for other in went_before) <= most


@given(st.lists(NEEDS, min_size=1, max_size=40), st.integers(0, 5))
def test_to_look_further_than_may_be_overtaken_changes_nothing(needs: list[tuple[str, str, int]], most: int) -> None:
    rows = [make_row(number, *need) for number, need in enumerate(needs)]
    rows.sort(key=lambda row: (-row.priority, row.position))
    last = Need("espeak", "a")
    assert choose(rows, last, (), most) == choose(rows[: most + 1], last, (), most)


def drop_in_turns(served: Served, count: int) -> None:
    """Tasks that need two models and two voices by turns, in a queue that is paused."""
    served.ask("pause")
    for number in range(count):
        model, voice = ("english", "turbo")[number % 2], "ab"[number // 2 % 2]
        clip = served.places.jobs / f"{voice}.wav"
        clip.parent.mkdir(exist_ok=True)
        if not clip.exists():
            clip.write_bytes(voice.encode() * 2000)
        lines = (
            f"model: {model}",
            "speaker: s",
            f"speakers: {{s: {{reference: {voice}.wav}}}}",
            f"text: Number {number}.",
        )
        served.drop(f"{number:02d}.yaml", "\n".join(lines) + "\n")
        served.until_state(f"jobs/{number:02d}", "queued")


def order_of(engine: FakeEngine) -> list[int]:
    return [int(text.removeprefix("Number ").removesuffix(".")) for text in engine.texts]


def test_a_host_groups_by_model_and_voice_and_counts_the_swaps_it_avoided(places: Places) -> None:
    engine = FakeEngine()
    with serving(places, engine, options=HostOptions(overtake=8)) as served:
        drop_in_turns(served, 8)
        served.ask("resume")
        served.until(lambda: served.store.queue.counts()["done"] == 8, "all are done")
        assert order_of(engine) == [0, 4, 2, 6, 1, 5, 3, 7]
        assert queue_facts(served.store)["swaps_avoided"] == 4
        assert {row.overtaken for row in served.store.queue.page(limit=9)} == {0}


def test_a_host_that_may_not_overtake_keeps_the_order(places: Places) -> None:
    engine = FakeEngine()
    with serving(places, engine, options=HostOptions(overtake=0)) as served:
        drop_in_turns(served, 6)
        served.ask("resume")
        served.until(lambda: served.store.queue.counts()["done"] == 6, "all are done")
        assert order_of(engine) == list(range(6))
        assert queue_facts(served.store)["swaps_avoided"] == 0


def test_a_host_lets_nobody_wait_for_ever_behind_what_keeps_coming(places: Places) -> None:
    engine = FakeEngine()
    with serving(places, engine, options=HostOptions(overtake=2)) as served:
        drop_in_turns(served, 12)
        served.ask("resume")
        served.until(lambda: served.store.queue.counts()["done"] == 12, "all are done")
        order = order_of(engine)
    overtaken = Counter(number for index, later in enumerate(order) for number in order[index:] if number < later)
    assert max(overtaken.values()) <= 2
