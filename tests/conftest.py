"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.paths import Places
from tests.support.checkpoint import checkpoint
from tests.support.clips import reference_clip


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Places of a user who has nothing yet."""
    return Places(
        jobs=tmp_path / "jobs",
        output=tmp_path / "output",
        state=tmp_path / "state",
        cache=tmp_path / "cache",
        config=tmp_path / "config",
    )


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of espeak's speech, as a reference clip."""
    return reference_clip(tmp_path_factory.mktemp("clips") / "reader.wav", seconds=6)


@pytest.fixture(scope="session")
def english_checkpoint() -> Path:
    return checkpoint("english")


@pytest.fixture(scope="session")
def multilingual_checkpoint() -> Path:
    return checkpoint("multilingual")


@pytest.fixture(scope="session")
def turbo_checkpoint() -> Path:
    return checkpoint("turbo")
