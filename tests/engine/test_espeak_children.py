"""Children that hang, die or lie, and machines on which espeak-ng is missing or broken."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import pytest

from cbtui.core.events import ignore_events
from cbtui.engine.base import ChunkFailure, EngineUnavailable, Vitals
from cbtui.engine.espeak import EspeakEngine, speaking
from tests.engine.test_espeak import failure, render, request, spoken


@pytest.fixture
def fake_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that stands in for the child; the test writes what it does."""
    path = tmp_path / "child.py"
    monkeypatch.setattr(speaking, "CHILD", path)
    return path


def test_cancel_ends_a_child_that_hangs(fake_child: Path, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    fake_child.write_text(
        f"import os, signal\nopen({str(note)!r} + '.new', 'w').write(str(os.getpid()))\n"
        f"os.rename({str(note)!r} + '.new', {str(note)!r})\nsignal.pause()\n"
    )
    results = EspeakEngine(workers=1).render([request()] * 3, emit=ignore_events, should_stop=note.exists)
    assert list(results) == []
    assert not psutil.pid_exists(int(note.read_text()))


def test_a_stream_that_nobody_reads_on_leaves_no_child(fake_child: Path) -> None:
    fake_child.write_text("import sys, signal\nif 'good' not in sys.stdin.read(): signal.pause()\nsys.exit(9)\n")
    stream = EspeakEngine(workers=2).render(
        [request("good"), request("bad")], emit=ignore_events, should_stop=lambda: False
    )
    iterator = iter(stream)
    assert isinstance(next(iterator), ChunkFailure)
    iterator.close()  # type: ignore[attr-defined]
    assert not [child for child in psutil.Process().children() if str(fake_child) in child.cmdline()]


def test_a_child_that_hangs_fails_its_chunk(fake_child: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_child.write_text("import signal\nsignal.pause()\n")
    monkeypatch.setattr(speaking, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(speaking, "PATIENCE_PER_CHARACTER", 0.0)
    answer = failure(request())
    assert "no answer within" in answer.reason
    assert answer.retry_with_next_seed


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("import sys; sys.exit('the reason ' + 'x' * 9000)", "status 1: x{300}$"),
        ("import sys; sys.exit('no such phoneme')", "status 1: no such phoneme"),
        ("pass", "gave no samples"),
        ("import os; os.write(1, b'ESPK' + (22050).to_bytes(4, 'little') * 2 + b'12')", "1 samples where 22050"),
        ("import os; os.write(1, b'hello to all of you')", "damaged"),
    ],
)
def test_a_child_that_misbehaves_fails_its_chunk(fake_child: Path, script: str, reason: str) -> None:
    fake_child.write_text(script)
    answer = failure(request())
    assert re.search(reason, answer.reason), answer.reason
    assert answer.retry_with_next_seed


def test_a_long_data_path_works(monkeypatch: pytest.MonkeyPatch) -> None:
    found = speaking.find_installation()
    with tempfile.TemporaryDirectory() as folder:
        deep = Path(folder, "d" * 120, "e" * 120)
        deep.mkdir(parents=True)
        (deep / found.data.name).symlink_to(found.data)
        (deep / found.library.name).symlink_to(found.library)
        moved = speaking.Installation(deep / found.library.name, deep / found.data.name, found.version)
        expected = spoken(request())
        monkeypatch.setattr(speaking, "find_installation", lambda: moved)
        assert np.array_equal(spoken(request()), expected)


def test_without_the_loader_the_engine_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(EngineUnavailable, match="pip install espeakng-loader"):
        render(request())


def test_loading_asks_for_the_loader_and_finds_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = EspeakEngine()
    engine.load(emit=ignore_events, should_stop=lambda: False)
    assert engine.vitals() == Vitals()
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(EngineUnavailable, match="pip install espeakng-loader"):
        engine.load(emit=ignore_events, should_stop=lambda: False)


def test_without_the_package_the_identity_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(EngineUnavailable, match="pip install espeakng-loader"):
        EspeakEngine().identity(request())


@pytest.mark.parametrize("broken", ["library", "data"])
def test_a_library_that_cannot_work_is_an_engine_that_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    found = speaking.find_installation()
    library = tmp_path / "no.so" if broken == "library" else found.library
    data = tmp_path / "empty" if broken == "data" else found.data
    monkeypatch.setattr(speaking, "find_installation", lambda: speaking.Installation(library, data, "0"))
    with pytest.raises(EngineUnavailable, match="espeak-ng does not work here"):
        render(request())
