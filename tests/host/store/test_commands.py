"""Viewers ask, the host answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cbtui.host.store import Store, attach_store
from tests.host.store.helpers import put


@pytest.fixture
def viewer(store: Store, path: Path) -> Iterator[Store]:
    with attach_store(path) as viewer:
        yield viewer


def test_the_host_sees_what_a_viewer_asks_in_the_order_asked(store: Store, viewer: Store) -> None:
    viewer.commands.post("move", {"task": "book/1", "place": 0})
    viewer.commands.post("pause")
    commands = store.commands.waiting()
    assert [(command.verb, command.arguments) for command in commands] == [
        ("move", {"task": "book/1", "place": 0}),
        ("pause", {}),
    ]


def test_a_viewer_reads_the_answer(store: Store, viewer: Store) -> None:
    number = viewer.commands.post("cancel", {"tasks": ["book/none"]})
    store.commands.answer(number, "refused", "no task 'book/none'")
    command = viewer.commands.wait(number, seconds=0)
    assert command
    assert (command.state, command.answer) == ("refused", "no task 'book/none'")
    assert store.commands.waiting() == ()


def test_waiting_goes_on_until_the_answer_comes(store: Store, viewer: Store) -> None:
    number = viewer.commands.post("pause")
    command = viewer.commands.wait(
        number, seconds=60, sleep=lambda seconds: store.commands.answer(number, "done") and None
    )
    assert command
    assert command.state == "done"


def test_waiting_ends_without_an_answer_when_the_time_is_up(viewer: Store) -> None:
    moments = iter([0.0, 1.0, 2.0, 3.0])
    number = viewer.commands.post("pause")
    command = viewer.commands.wait(number, seconds=2, sleep=lambda seconds: None, monotonic=lambda: next(moments))
    assert command is None


def test_a_command_is_answered_once(store: Store) -> None:
    number = store.commands.post("pause")
    assert store.commands.answer(number, "done", "first")
    assert not store.commands.answer(number, "refused", "second")
    command = store.commands.get(number)
    assert command
    assert command.answer == "first"


def test_a_command_that_was_not_answered_waits_for_the_next_host(store: Store) -> None:
    put(store, "book/1")
    number = store.commands.post("pause")

    def die_between_answer_and_commit() -> None:
        with store.transaction():
            store.tasks.transition("book/1", "paused")
            store.commands.answer(number, "done")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        die_between_answer_and_commit()
    assert store.tasks.get("book/1").state == "queued"
    assert [command.number for command in store.commands.waiting()] == [number]


def test_old_answers_are_forgotten_and_old_questions_are_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cbtui.host.store.commands._ANSWERED_KEPT", 2)
    numbers = [store.commands.post("pause") for _ in range(5)]
    for number in numbers[1:]:
        store.commands.answer(number, "done")
    kept = [command.state for number in numbers if (command := store.commands.get(number))]
    assert kept == ["waiting", "done", "done"]


@pytest.mark.parametrize("value", [float("nan"), {1, 2}], ids=["nan", "set"])
def test_arguments_that_are_not_json_are_refused(store: Store, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        store.commands.post("pause", {"value": value})
    assert store.commands.waiting() == ()


def test_half_characters_in_arguments_and_answers_do_no_harm(store: Store) -> None:
    number = store.commands.post("remove", {"task": "book/\ud800"})
    store.commands.answer(number, "refused", "no \ud800")
    command = store.commands.get(number)
    assert command
    assert (command.arguments, command.answer) == ({"task": "book/\ud800"}, "no \\ud800")
