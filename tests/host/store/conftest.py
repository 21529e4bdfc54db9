"""A new store for each test, at a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cbtui.host.store import Store, open_store

NOON = 1_767_268_800.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "queue.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path, clock=lambda: NOON).store as store:
        yield store
