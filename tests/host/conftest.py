"""What tests of the host share: one in this process, on the fake engine unless a file has an engine of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cbtui.engine.base import Engine
from cbtui.paths import Places
from tests.host.serving import Served, serving
from tests.support.fake_engine import FakeEngine


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def served(places: Places, engine: Engine) -> Iterator[Served]:
    with serving(places, engine) as served:
        yield served
