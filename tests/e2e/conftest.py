"""What the end-to-end tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has nothing yet."""
    made = Home(tmp_path)
    made.jobs.mkdir()
    return made
