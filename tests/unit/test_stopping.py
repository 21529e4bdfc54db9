"""Signals: the first asks, and those that the caller ignores stay ignored."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from cbtui.commands.stopping import StopSignal

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers_put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_asks_to_stop(number: signal.Signals) -> None:
    stopped = StopSignal()
    stopped.listen()
    assert not stopped()
    os.kill(os.getpid(), number)
    assert stopped()
    assert stopped.number == number


def test_the_second_one_ends_the_process() -> None:
    stopped = StopSignal()
    stopped.listen()
    os.kill(os.getpid(), signal.SIGTERM)
    assert all(signal.getsignal(number) is signal.SIG_DFL for number in NUMBERS)


def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stopped = StopSignal()
    stopped.listen()
    os.kill(os.getpid(), signal.SIGHUP)
    assert not stopped()
