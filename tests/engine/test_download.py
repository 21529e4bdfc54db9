"""Downloading from a hub on this machine: whole, silent, refusing, or not there at all."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cbtui.engine.chatterbox.checkpoint import FILES

COMMIT = "0123456789abcdef0123456789abcdef01234567"

# What a user's process does, with a short patience.
PROGRAM = """
import json, sys
from cbtui.core.events import Noticed
from cbtui.engine.base import EngineUnavailable, PreparationStopped
from cbtui.engine.chatterbox.checkpoint import checkpoint_in_hub_cache
from cbtui.engine.chatterbox.download import download_checkpoint
told = []
def emit(event):
    told.append(event.message)
stop = sys.argv[1] == "stop"
try:
    found = download_checkpoint("english", emit=emit, should_stop=lambda: stop,
                                first_answer_seconds=3, stall_seconds=3)
    answer = {"folder": str(found.folder), "again": checkpoint_in_hub_cache("english") is not None}
except EngineUnavailable as error:
    answer = {"error": str(error)}
except PreparationStopped:
    answer = {"stopped": True}
print(json.dumps({**answer, "told": told}))
"""


class HubServer(ThreadingHTTPServer):
    """Remembers what it was asked."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.asked: list[str] = []

    def fetched(self, ending: str) -> list[str]:
        return [line for line in self.asked if line.startswith("GET") and line.endswith(ending)]


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as its client asks for: the head of a file, and the file."""

    protocol_version = "HTTP/1.1"
    missing: str = ""
    server: HubServer

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        name = self.path.rpartition("/")[2]
        self.server.asked.append(f"{self.command} {name}")
        content = f"content of {name}".encode() * 1000
        if name == self.missing:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", f'"{name}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@contextmanager
def hub(handler: type[Hub] = Hub) -> Iterator[HubServer]:
    server = HubServer(handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def download(home: Path, endpoint: str, argument: str = "go", **environment: str) -> dict[str, object]:
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, argument],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
        env={
            **os.environ,
            "HF_HOME": str(home),
            "HF_ENDPOINT": endpoint,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
            **environment,
        },
    )
    answer: dict[str, object] = json.loads(finished.stdout)
    return answer


def address(server: HubServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_all_files_are_fetched_with_visible_progress_and_found_again(tmp_path: Path) -> None:
    with hub() as server:
        answer = download(tmp_path, address(server))
    folder = Path(str(answer["folder"]))
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES["english"])
    assert answer["again"]
    told = answer["told"]
    assert isinstance(told, list)
    assert all(f"{name}: there" in told for name in FILES["english"])
    assert any("MB" in line for line in told)


def test_files_that_are_there_are_not_fetched_again(tmp_path: Path) -> None:
    with hub() as server:
        download(tmp_path, address(server))
        gone = next(tmp_path.rglob("tokenizer.json"))
        gone.resolve().unlink()
        gone.unlink()
        server.asked.clear()
        download(tmp_path, address(server))
    assert server.fetched(".json") == ["GET tokenizer.json"]
    assert server.fetched(".safetensors") == []


def explanation(answer: dict[str, object], home: Path, missing: str = "s3gen.safetensors") -> str:
    """The error, which must name what is missing, where, and the way out."""
    error = str(answer["error"])
    assert missing in error
    assert str(home / "hub") in error
    assert "--model-dir" in error
    return error


def test_a_hub_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        error = explanation(download(tmp_path, endpoint), tmp_path)
    assert "Connection refused" in error


def test_a_silent_hub_is_given_up(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        error = explanation(download(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}"), tmp_path)
    assert "sent nothing for 3 s" in error


def test_a_file_that_the_hub_does_not_have_is_an_error(tmp_path: Path) -> None:
    class Incomplete(Hub):
        missing = "s3gen.safetensors"

    with hub(Incomplete) as server:
        explanation(download(tmp_path, address(server)), tmp_path)


def test_offline_by_wish_asks_nobody(tmp_path: Path) -> None:
    with hub() as server:
        error = explanation(download(tmp_path, address(server), HF_HUB_OFFLINE="1"), tmp_path)
        assert server.asked == []
    assert "HF_HUB_OFFLINE" in error


def test_a_download_can_be_stopped(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        answer = download(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}", "stop")
    assert answer["stopped"]


@pytest.mark.parametrize("gone", ["conds.pt", "ve.safetensors"])
def test_a_cache_that_lacks_a_file_is_not_taken_for_whole(tmp_path: Path, gone: str) -> None:
    with hub() as server:
        download(tmp_path, address(server))
    path = next(tmp_path.rglob(gone))
    path.resolve().unlink()
    explanation(download(tmp_path, "http://127.0.0.1:9", HF_HUB_OFFLINE="1"), tmp_path, gone)
