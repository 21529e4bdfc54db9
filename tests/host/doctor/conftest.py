"""A machine without network and hub cache, for looking at."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbtui.engine.chatterbox.checkpoint import FILES
from cbtui.host.doctor import hub
from cbtui.paths import Places


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client reads its folder when it is first imported, so its constant is what has to change."""
    import huggingface_hub.constants
    import huggingface_hub.file_download

    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    return cache


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("jobs", "output", "state", "cache", "config")))


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """All files of the english model, by name; what they hold is not the doctor's business."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in FILES["english"]:
        (folder / name).write_bytes(b"content")
    return folder


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.2)
        yield
