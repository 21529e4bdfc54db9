"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.paths import Places
from tests.support.checkpoint import checkpoint
from tests.support.clips import reference_clip

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side with others, the tests of a file stay together, and so do all of the engines, for the models that
    they share: they would not be there twice in the memory of a usual machine.
    """
    for item in items:
        inside = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group("engine" if inside.parts[0] == "engine" else str(inside)))


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
