"""What tests of the engines share."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbtui.engine.voices import VoiceStore


@pytest.fixture
def voices(tmp_path: Path) -> VoiceStore:
    """A store without voices."""
    return VoiceStore(tmp_path / "voices")
