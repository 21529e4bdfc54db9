"""Work beside the device's: in its order, never too much of it, and nothing left under way."""

from __future__ import annotations

import threading

import pytest

from cbtui.engine.chatterbox.finishing import Finishing


def test_what_is_done_comes_in_the_order_in_which_it_was_given() -> None:
    allowed = threading.Event()
    with Finishing[int]() as finishing:
        finishing.give(lambda: 1 if allowed.wait(60) else 0)
        finishing.give(lambda: 2)
        assert list(finishing.ready()) == []
        allowed.set()
        assert list(finishing.rest()) == [1, 2]
        assert list(finishing.ready()) == []


def test_too_much_is_waited_for() -> None:
    allowed = threading.Event()
    with Finishing[int]() as finishing:
        finishing.give(lambda: 0 if allowed.wait(60) else -1)
        for number in range(1, 10):
            finishing.give(lambda number=number: number)
        threading.Timer(0.05, allowed.set).start()
        ready = list(finishing.ready())
        assert ready[:2] == [0, 1]
        assert [*ready, *finishing.rest()] == list(range(10))


def test_an_error_comes_where_the_result_is_asked_for() -> None:
    def fail() -> int:
        raise OSError("gone")

    with Finishing[int]() as finishing:
        finishing.give(fail)
        with pytest.raises(OSError, match="gone"):
            list(finishing.rest())


def test_nothing_is_under_way_behind_it() -> None:
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        # Long enough for whoever does not wait to be found out.
        threading.Event().wait(0.1)
        done.set()

    with Finishing[None]() as finishing:
        finishing.give(work)
        assert begun.wait(60)
    assert done.is_set()
