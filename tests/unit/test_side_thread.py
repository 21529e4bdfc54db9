"""Work beside the device's: in its order, never too much of it, and nothing left under way."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterable
from concurrent.futures import Future

import pytest

from cbtui.core.side_thread import MOST_WAITING, SideThread


def results(futures: Iterable[Future[int]]) -> list[int]:
    return [future.result() for future in futures]


def test_what_is_done_comes_in_the_order_in_which_it_was_given() -> None:
    allowed = threading.Event()
    with SideThread[int]("test") as side:
        side.give(lambda: 1 if allowed.wait(60) else 0)
        side.give(lambda: 2)
        assert results(side.ready()) == []
        allowed.set()
        assert results(side.rest()) == [1, 2]
        assert results(side.ready()) == []


def test_too_much_is_waited_for() -> None:
    allowed = threading.Event()
    with SideThread[int]("test") as side:
        side.give(lambda: 0 if allowed.wait(60) else -1)
        for number in range(1, MOST_WAITING + 2):
            side.give(lambda number=number: number)
        threading.Timer(0.05, allowed.set).start()
        ready = results(side.ready())
        assert ready[:2] == [0, 1]
        assert [*ready, *results(side.rest())] == list(range(MOST_WAITING + 2))


def test_without_a_thread_whoever_gives_work_does_it_and_hears_of_it_in_the_same_way() -> None:
    def fail() -> int:
        raise OSError("gone")

    with SideThread[int]("test", beside=False) as side:
        given = side.give(threading.get_ident)
        assert given.result() == threading.get_ident()
        side.give(fail)
        first, second = side.ready()
        assert first is given
        with pytest.raises(OSError, match="gone"):
            second.result()


def test_an_error_comes_where_the_result_is_asked_for() -> None:
    def fail() -> int:
        raise OSError("gone")

    with SideThread[int]("test") as side:
        side.give(fail)
        with pytest.raises(OSError, match="gone"):
            results(side.rest())


def test_where_there_can_be_no_thread_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with SideThread[int]("test") as side:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="new thread"):
                side.give(lambda: 1)
        assert results(side.rest()) == []
        side.give(lambda: 2)
        assert results(side.rest()) == [2]


def test_what_was_worked_on_is_not_kept() -> None:
    class Samples:
        pass

    samples = Samples()
    there = weakref.ref(samples)
    with SideThread[None]("test") as side:
        side.give(lambda samples=samples: None)
        del samples
        for future in side.rest():
            future.result()
        side.give(lambda: None)
        for future in side.rest():
            future.result()
        gc.collect()
        assert there() is None


def test_nothing_is_under_way_behind_it() -> None:
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        # Long enough for whoever does not wait to be found out.
        threading.Event().wait(0.1)
        done.set()

    with SideThread[None]("test") as side:
        side.give(work)
        assert begun.wait(60)
    assert done.is_set()
