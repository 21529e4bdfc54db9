"""A jobs directory that is watched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cbtui.jobs.watching import Watcher
from tests.unit.jobs_watching.helpers import QUICK, Consumer


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    folder = tmp_path / "jobs"
    folder.mkdir()
    return folder


@pytest.fixture(params=["hints", "polling"])
def consumer(jobs: Path, request: pytest.FixtureRequest) -> Iterator[Consumer]:
    """Of a watcher that has taken in the empty jobs directory: with hints of the file system, and without."""
    polling = request.param == "polling"
    with Watcher(jobs, rests=QUICK, polling=polling, period=0.05 if polling else 1.0) as watcher:
        consumer = Consumer(watcher)
        consumer.until_watching()
        yield consumer
