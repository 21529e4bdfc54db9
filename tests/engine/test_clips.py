"""Reference clips: what cannot become a voice is refused by name, before the model sees it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cbtui.engine.base import UnusableReference
from cbtui.engine.clips import digest_clip, read_clip

RATE = 24_000


def tone(seconds: float) -> np.ndarray:
    return (0.2 * np.sin(np.arange(round(seconds * RATE)) * 0.05)).astype(np.float32)


def written(path: Path, samples: np.ndarray, **options: str) -> Path:
    soundfile.write(path, samples, RATE, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UnusableReference) as raised:
        read_clip(path)
    assert str(path) in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_clip_in_a_usual_format_is_read(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / f"clip.{kind}", tone(2))
    clip = read_clip(path)
    assert clip.seconds == pytest.approx(2, abs=0.1)
    assert clip.digest == digest_clip(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_stereo_is_read_too(tmp_path: Path) -> None:
    assert read_clip(written(tmp_path / "a.wav", np.stack([tone(2), tone(2)], axis=1))).seconds == 2


def test_a_clip_of_fifty_milliseconds_is_too_short(tmp_path: Path) -> None:
    assert "0.05 s long; at least 1 s are needed" in refusal(written(tmp_path / "a.wav", tone(0.05)))


def test_a_clip_without_samples_is_too_short(tmp_path: Path) -> None:
    assert "0.00 s long" in refusal(written(tmp_path / "a.wav", tone(0)))


def test_a_silent_clip_is_no_voice(tmp_path: Path) -> None:
    assert "is silent" in refusal(written(tmp_path / "a.wav", tone(2) * 1e-4))


def test_a_clip_with_nan_is_refused(tmp_path: Path) -> None:
    samples = tone(2)
    samples[100] = np.nan
    assert "not numbers" in refusal(written(tmp_path / "a.wav", samples, subtype="FLOAT"))


def test_a_cut_off_wav_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.wav", tone(4))
    path.write_bytes(path.read_bytes()[: 3 * RATE])
    assert "is cut off" in refusal(path)


def test_hours_of_silence_in_a_small_file_are_not_read_into_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "a.flac", np.zeros(1200 * RATE, np.float32))
    assert path.stat().st_size < 1_000_000
    assert "1200 s long" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"hello, I am a text", b"\x00" * 5000])
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert "not a sound file" in refusal(path)


def test_a_fifo_is_refused_and_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    os.mkfifo(path)
    assert "is not a file" in refusal(path)


def test_a_missing_clip_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "gone.wav")


@pytest.mark.parametrize("kept", [0.5, 0.95])
def test_a_cut_off_flac_is_refused(tmp_path: Path, kept: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 8 * RATE).astype(np.float32)
    path = written(tmp_path / "a.flac", noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    assert "cut off" in (said := refusal(path)) or "not a sound file" in said


def test_more_samples_than_fit_in_memory_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros((60 * 192_000, 8), np.float32), 192_000)
    assert "8 channels of 192000 Hz" in refusal(path)
