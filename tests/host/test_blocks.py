"""When a cause that blocks tasks is looked at again, and what is forgotten of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.host.blocks import Block, Blocks, Cause

NOON = 1000.0


@pytest.fixture
def blocks() -> Blocks:
    return Blocks()


def add(blocks: Blocks, cause: Cause = "engine", *tasks: str, now: float = NOON, key: str = "turbo") -> Block:
    place = Path("/output") if cause == "disk" else None
    return blocks.add(cause, key, list(tasks), reason="why", now=now, place=place)


def test_a_cause_is_looked_at_again_after_its_first_wait(blocks: Blocks) -> None:
    block = add(blocks, "engine", "a")
    assert (block.due, blocks.next_due(), blocks.due(block.due - 0.1), blocks.due(block.due)) == (
        NOON + 15,
        NOON + 15,
        [],
        [block],
    )


def test_each_look_in_vain_doubles_the_wait_up_to_the_longest(blocks: Blocks) -> None:
    waits = []
    block = add(blocks, "engine", "a")
    for _ in range(7):
        waits.append(block.wait)
        add(blocks, "engine", now=block.due)
    assert waits == [15, 30, 60, 120, 240, 300, 300]


def test_more_tasks_of_a_cause_that_is_known_do_not_make_it_wait_longer(blocks: Blocks) -> None:
    block = add(blocks, "engine", "a")
    for number in range(10):
        add(blocks, "engine", f"b{number}", now=NOON + 1)
    assert (block.due, len(block.tasks)) == (NOON + 15, 11)


def test_a_task_waits_once_for_one_cause(blocks: Blocks) -> None:
    add(blocks, "engine", "a", "b")
    assert add(blocks, "engine", "b", "a", "c").tasks == ["a", "b", "c"]


def test_who_would_run_into_a_block_is_held_until_it_is_due(blocks: Blocks) -> None:
    block = add(blocks, "engine", "a")
    assert blocks.holding("engine", "turbo", now=NOON) is block
    assert blocks.holding("engine", "turbo", now=block.due) is None
    assert blocks.holding("engine", "english", now=NOON) is None


def test_a_block_that_nobody_waits_for_is_never_due(blocks: Blocks) -> None:
    block = add(blocks, "engine", "a")
    block.tasks = []
    assert (blocks.due(1e9), blocks.next_due()) == ([], None)


def test_while_a_probe_is_out_the_clock_is_not_looked_at(blocks: Blocks) -> None:
    block = add(blocks, "engine", "a", "b")
    block.probe = "a"
    assert blocks.next_due() is None
    add(blocks, "engine", now=block.due)
    assert (block.probe, blocks.next_due()) == ("", block.due)


def test_all_causes_can_be_made_due_at_once(blocks: Blocks) -> None:
    engine, memory = add(blocks, "engine", "a"), add(blocks, "memory", "b", key="b")
    blocks.make_due(NOON + 1)
    assert blocks.due(NOON + 1) == [engine, memory]


def test_a_full_disk_is_one_that_tasks_wait_for(blocks: Blocks) -> None:
    assert blocks.full_disk is None
    add(blocks, "memory", "b", key="b")
    block = add(blocks, "disk", "a", key="/output")
    assert blocks.full_disk is block
    block.tasks = []
    assert blocks.full_disk is None


def test_a_disk_that_is_full_again_waits_longer_until_something_was_written(blocks: Blocks) -> None:
    block = add(blocks, "disk", "a", key="/output")
    block.tasks = []
    assert add(blocks, "disk", "a", key="/output", now=block.due).wait == 4.0
    block.tasks = []
    blocks.forget("a", written=True)
    assert add(blocks, "disk", "a", key="/output", now=block.due).wait == 2.0


def test_of_a_task_that_is_through_nothing_stays(blocks: Blocks) -> None:
    for cause in ("memory", "in use"):
        for task in "ab":
            add(blocks, cause, task, key=task)  # type: ignore[arg-type]
    disk = add(blocks, "disk", "c", key="/output")
    blocks.forget("a", written=False)
    blocks.forget("a", written=True)
    blocks.make_due(NOON)
    assert [block.key for block in blocks.due(NOON)] == ["b", "b", "/output"]
    assert blocks.full_disk is disk
