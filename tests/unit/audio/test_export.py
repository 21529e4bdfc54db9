"""The finished file holds exactly the assembled samples, and is there whole or not at all."""

from __future__ import annotations

import errno
import struct
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from cbtui.audio import export as exporting
from cbtui.audio import wav
from cbtui.audio.assemble import Assembly, Take
from cbtui.audio.export import export, to_int16, write_wav
from cbtui.audio.takes import DamagedTake, Samples
from cbtui.core.task import SampleFormat

RATE = 24_000


def assembly_of(*values: float) -> Assembly:
    return Assembly([Take("1", np.array(values, np.float32))], RATE, 0.3, 0.8)


def test_int16_is_read_back_by_soundfile_and_by_wave(tmp_path: Path) -> None:
    path = tmp_path / "done.wav"
    export(path, assembly_of(0, 0.5, -0.25, 1), "int16")

    samples, rate = soundfile.read(path, dtype="int16")
    assert (samples.tolist(), rate) == ([0, 16384, -8192, 32767], RATE)
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (1, 2, RATE, 4)
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == samples.tolist()


def test_float32_keeps_every_bit_also_beyond_full_scale(tmp_path: Path) -> None:
    path = tmp_path / "done.wav"
    finished = export(path, assembly_of(0.1, -1.5, 2), "float32")

    samples, rate = soundfile.read(path, dtype="float32")
    assert samples.tobytes() == np.array([0.1, -1.5, 2], np.float32).tobytes()
    assert (rate, soundfile.info(path).subtype, finished.clipped) == (RATE, "FLOAT", 0)


def test_int16_rounds_to_the_nearest_step() -> None:
    steps = np.array([0.4, 0.6, -0.4, -0.6, 100.4, 100.6], np.float32) / np.float32(32767)
    assert to_int16(steps).tolist() == [0, 1, 0, -1, 100, 101]


def test_int16_clamps_and_counts_what_is_beyond_full_scale(tmp_path: Path) -> None:
    finished = export(tmp_path / "done.wav", assembly_of(1, -1, 1.0001, -3, 0), "int16")

    samples, _rate = soundfile.read(tmp_path / "done.wav", dtype="int16")
    assert samples.tolist() == [32767, -32767, 32767, -32767, 0]
    assert (finished.clipped, finished.peak) == (2, 3)


@given(st.lists(st.floats(-2, 2, width=32), min_size=1))
def test_int16_is_never_off_by_more_than_half_a_step(values: list[float]) -> None:
    samples = np.array(values, np.float32)
    error = to_int16(samples) / 32767 - np.clip(samples.astype(np.float64), -1, 1)
    assert np.abs(error).max() <= 0.5 / 32767 + 1e-12


@pytest.mark.parametrize("sample_format", ["int16", "float32"])
def test_what_was_finished_is_told(tmp_path: Path, sample_format: SampleFormat) -> None:
    path = tmp_path / "new folder" / "done.wav"
    finished = export(path, Assembly([Take("1", np.full(RATE, 0.5, np.float32))] * 2, RATE, 1, 9), sample_format)

    assert (finished.path, finished.seconds, finished.samples) == (path, 3.0, 3 * RATE)
    assert finished.bytes == path.stat().st_size
    assert finished.peak == 0.5
    assert finished.rms == pytest.approx(0.5 * np.sqrt(2 / 3))


@pytest.mark.parametrize("sample_format", ["int16", "float32"])
def test_equal_samples_make_equal_bytes(tmp_path: Path, sample_format: SampleFormat) -> None:
    for name in ("a.wav", "b.wav"):
        export(tmp_path / name, assembly_of(0.1, 0.2), sample_format)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_nothing_becomes_an_empty_wav(tmp_path: Path) -> None:
    finished = export(tmp_path / "done.wav", Assembly([], RATE, 0, 0), "int16")
    assert (finished.samples, finished.peak, finished.rms) == (0, 0, 0)
    assert soundfile.info(tmp_path / "done.wav").frames == 0


def test_a_damaged_take_leaves_the_file_of_before(tmp_path: Path) -> None:
    path = tmp_path / "done.wav"
    path.write_bytes(b"of before")
    takes = [Take("1", np.zeros(100_000, np.float32)), Take("2", np.array([np.nan], np.float32))]

    with pytest.raises(DamagedTake, match="2 cannot be used"):
        export(path, Assembly(takes, RATE, 0, 0), "int16")
    assert path.read_bytes() == b"of before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_midway_leaves_nothing(tmp_path: Path) -> None:
    def blocks() -> Iterator[Samples]:
        yield np.zeros(100_000, np.float32)
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        write_wav(tmp_path / "done.wav", blocks(), samples=200_000, rate=RATE, sample_format="int16")
    assert list(tmp_path.iterdir()) == []


def test_fewer_samples_than_announced_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 samples came, 2 were announced"):
        write_wav(tmp_path / "a.wav", [np.zeros(1, np.float32)], samples=2, rate=RATE, sample_format="int16")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cause", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_path_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    def no_room(_block: Samples, _sample_format: SampleFormat) -> bytes:
        raise OSError(cause, "no")

    monkeypatch.setattr(exporting, "_encode", no_room)
    with pytest.raises(OSError, match=r"48 bytes are needed, \d+ are free: '.*done\.wav'") as caught:
        export(tmp_path / "done.wav", assembly_of(0, 0), "int16")
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_the_system_cuts_off_leaves_nothing(tmp_path: Path) -> None:
    script = f"""
import resource, signal, sys
import numpy as np
from pathlib import Path
from cbtui.audio.assemble import Assembly, Take
from cbtui.audio.export import export
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
assembly = Assembly([Take("1", np.zeros(60_000, np.float32))], 24_000, 0, 0)
try:
    export(Path({str(tmp_path / "done.wav")!r}), assembly, "int16")
except OSError as error:
    print(error)
"""
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "120044 bytes were to be written" in child.stdout
    assert "done.wav" in child.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_file_under_4_gib_has_the_plain_header() -> None:
    most = (2**32 - 1 - 36) // 2
    start = wav.header(most, RATE, "int16")
    assert len(start) == 44
    assert struct.unpack("<4sI4s", start[:12]) == (b"RIFF", 36 + 2 * most, b"WAVE")
    assert struct.unpack("<4sI", start[36:]) == (b"data", 2 * most)


@pytest.mark.parametrize("sample_format", ["int16", "float32"])
def test_a_file_over_4_gib_is_rf64(tmp_path: Path, sample_format: SampleFormat) -> None:
    samples = 2**32 + 5
    start = wav.header(samples, RATE, sample_format)
    size = len(start) + samples * wav.SAMPLE_BYTES[sample_format]

    assert struct.unpack("<4sI4s", start[:12]) == (b"RF64", 2**32 - 1, b"WAVE")
    name, length, riff, data, count, table = struct.unpack("<4sIQQQI", start[12:48])
    assert (name, length, count, table) == (b"ds64", 28, samples, 0)
    assert (riff, data) == (size - 8, size - len(start))

    # A file of nothing but a hole takes no room, and libsndfile reads its header all the same.
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)
    assert (soundfile.info(path).frames, soundfile.info(path).format) == (samples, "RF64")
    with path.open("rb") as file:
        assert wav.missing_bytes(file) == 0
        file.seek(0)
    with path.open("r+b") as file:
        file.truncate(size - 7)
        assert wav.missing_bytes(file) == 7
