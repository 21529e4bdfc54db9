"""A take on disk is whole, or refused."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cbtui.audio import wav
from cbtui.audio.takes import BLOCK_SAMPLES, DamagedTake, Samples, count_samples, read_take, stream_take, write_take

RATE = 24_000
SPEECH = np.sin(np.arange(1000, dtype=np.float32)).astype(np.float32)


@pytest.fixture
def take(tmp_path: Path) -> Path:
    path = tmp_path / "0001-abcdef01.wav"
    write_take(path, SPEECH, RATE)
    return path


@settings(deadline=None)
@given(samples=arrays.arrays(np.float32, st.integers(0, 300), elements=st.floats(-4, 4, width=32)))
def test_a_take_comes_back_bit_for_bit(samples: Samples, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("takes") / "take.wav"
    write_take(path, samples, RATE)

    back, rate = read_take(path)
    assert back.tobytes() == samples.tobytes()
    assert back.dtype == np.float32
    assert rate == RATE


def test_soundfile_reads_a_take_as_mono_float(take: Path) -> None:
    info = soundfile.info(take)
    assert (info.channels, info.samplerate, info.subtype, info.frames) == (1, RATE, "FLOAT", 1000)


def test_equal_samples_make_equal_bytes(take: Path) -> None:
    write_take(take.with_name("again.wav"), SPEECH, RATE)
    assert take.with_name("again.wav").read_bytes() == take.read_bytes()


def test_a_streamed_take_is_the_same_as_a_read_one(tmp_path: Path) -> None:
    samples = np.linspace(-1, 1, 2 * BLOCK_SAMPLES + 3, dtype=np.float32)
    write_take(tmp_path / "take.wav", samples, RATE)

    blocks = list(stream_take(tmp_path / "take.wav"))
    assert [len(block) for block in blocks] == [BLOCK_SAMPLES, BLOCK_SAMPLES, 3]
    assert np.array_equal(np.concatenate(blocks), samples)
    assert count_samples(tmp_path / "take.wav", RATE) == len(samples)


@pytest.mark.parametrize("lost", [1, 4, 3999, 4000, 4010, 4050, 4058])
def test_a_cut_off_take_is_damaged(take: Path, lost: int) -> None:
    take.write_bytes(take.read_bytes()[:-lost])
    with pytest.raises(DamagedTake, match=take.name):
        read_take(take)


def test_a_cut_off_take_says_how_much_is_missing(take: Path) -> None:
    take.write_bytes(take.read_bytes()[:-100])
    with pytest.raises(DamagedTake, match="cut off, 100 bytes are missing"):
        read_take(take)


@pytest.mark.parametrize("content", [b"RIFF but not really a WAV file", b"text", b"\0" * 5000, b""])
def test_a_file_that_is_no_wav_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.wav").write_bytes(content)
    with pytest.raises(DamagedTake, match=r"odd\.wav cannot be used"):
        read_take(tmp_path / "odd.wav")


def test_a_wav_in_a_format_that_nobody_knows_is_damaged(take: Path) -> None:
    content = bytearray(take.read_bytes())
    struct.pack_into("<H", content, 20, 0x7777)
    take.write_bytes(content)
    with pytest.raises(DamagedTake, match="cannot be used"):
        read_take(take)


def test_a_stereo_take_is_damaged(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "stereo.wav", np.zeros((100, 2)), RATE)
    with pytest.raises(DamagedTake, match="2 channels"):
        read_take(tmp_path / "stereo.wav")


def test_a_take_that_a_person_put_there_as_24_bit_is_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "own.wav", SPEECH, RATE, subtype="PCM_24")
    samples, _rate = read_take(tmp_path / "own.wav")
    assert np.allclose(samples, SPEECH, atol=2**-22)


def test_a_missing_take_is_missing_and_not_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_take(tmp_path / "none.wav")


def test_samples_that_are_no_numbers_are_never_written(take: Path) -> None:
    before = take.read_bytes()
    with pytest.raises(DamagedTake, match="not finite"):
        write_take(take, np.array([0, np.nan], np.float32), RATE)
    assert take.read_bytes() == before


def test_not_a_number_in_a_file_is_damaged_also_when_streamed(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    path.write_bytes(wav.header(2, RATE, "float32") + np.array([0, np.inf], "<f4").tobytes())
    with pytest.raises(DamagedTake, match="not finite"):
        read_take(path)
    with pytest.raises(DamagedTake, match="not finite"):
        list(stream_take(path))


def test_a_full_disk_is_told_with_the_bytes_needed(take: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = take.read_bytes()
    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match=r"4058 bytes are needed, [0-9]+ are free") as caught:
        write_take(take, SPEECH, RATE)

    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(take))
    assert take.read_bytes() == before
    assert list(take.parent.iterdir()) == [take]
