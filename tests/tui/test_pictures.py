"""How the screens look, as people have looked at them: `pytest --snapshot-update` after looking again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from cbtui.tui.app import Options
from cbtui.tui.words import Words
from tests.tui.pictured import PicturedApp

Compare = Callable[..., bool]

SIZES = {60: 20, 80: 24, 120: 35, 200: 50}


@pytest.fixture(autouse=True)
def one_time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("width", SIZES)
def test_the_queue_at_every_width(snap_compare: Compare, width: int) -> None:
    assert snap_compare(PicturedApp(), terminal_size=(width, SIZES[width]))


def test_the_queue_in_ascii(snap_compare: Compare) -> None:
    assert snap_compare(PicturedApp(Options(Words(ascii=True))), terminal_size=(80, 24))


def test_the_queue_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    assert snap_compare(PicturedApp(), terminal_size=(80, 24))
