"""A store of version 1, as people have it, loads for ever. `version_1.py` made the file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbtui.core.status import STATES, Result
from cbtui.host.store import Progress, Store, open_store
from tests.host.store.conftest import NOON


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "queue.sqlite"
    shutil.copyfile(Path(__file__).parent / "version-1.sqlite", path)
    opened = open_store(path)
    assert opened.set_aside is None
    with opened.store as store:
        yield store


def test_every_task_is_there_in_its_state(old: Store) -> None:
    assert {row.id: row.state for row in old.queue.page(limit=100)} == {f"book/{state}": state for state in STATES}
    assert old.queue.counts() == dict.fromkeys(STATES, 1)


def test_the_order_is_kept(old: Store) -> None:
    order = ["done", "cancelled", "quarantined", "rendering", "paused", "blocked", "queued", "failed", "invalid"]
    assert [row.id.removeprefix("book/") for row in old.queue.page(limit=100)] == order


def test_what_tasks_carry_is_kept(old: Store) -> None:
    done = old.tasks.get("book/done")
    assert done.result == Result("20260101-120000", Path("/output/done.wav"), 12.5, 3.25, 4, 1, draft=True)
    assert (done.source, done.added) == (Path("/jobs/book/done.yaml"), NOON)
    assert old.tasks.get("book/rendering").progress == Progress(2, 5, 321)
    assert str(old.tasks.get("book/invalid").problems[0]) == "jobs/book/invalid.yaml:6:3: speakers: unknown setting"


def test_removals_look_ups_commands_and_the_halt_are_kept(old: Store) -> None:
    assert old.queue.changed_since(0).removed == ("book/removed",)
    assert [each.hits for each in old.cache_events.sums()] == [0, 1, 0]
    assert [command.verb for command in old.commands.waiting()] == ["resume"]
    assert old.meta.paused


def test_work_goes_on(old: Store) -> None:
    assert [row.state for row in old.tasks.recover()] == ["queued"]
    old.order.move("book/queued", 0)
    assert old.queue.next_queued(1)[0].id == "book/queued"
