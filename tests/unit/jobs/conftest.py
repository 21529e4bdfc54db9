from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.jobs.helpers import JobsFolder


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobsFolder:
    monkeypatch.chdir(tmp_path)
    return JobsFolder(tmp_path / "jobs")
