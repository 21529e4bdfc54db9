"""The picture of a sound: the least and the greatest sample of every part, and nothing of it in the wrong place."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cbtui.audio.peaks import PARTS, Abandoned, Peaks, measure, picture
from cbtui.audio.takes import BLOCK_SAMPLES, DamagedTake, write_take

RATE = 24_000


def tone(seconds: float, loudness: float) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (loudness * np.sin(2 * np.pi * 200 * time)).astype(np.float32)


def drawn(path: Path, samples: np.ndarray) -> Peaks:
    write_take(path, samples, RATE)
    return picture([(measure(path), 0.0)])


def test_a_tone_reaches_its_height_on_both_sides(tmp_path: Path) -> None:
    peaks = drawn(tmp_path / "take.wav", tone(10.24, 0.3))
    assert peaks.seconds == pytest.approx(10.24)
    assert len(peaks.lows) == len(peaks.highs) == PARTS
    assert peaks.highs == pytest.approx([0.3] * PARTS, abs=0.001)
    assert peaks.lows == pytest.approx([-0.3] * PARTS, abs=0.001)


def test_a_single_loud_sample_is_seen_where_it_is(tmp_path: Path) -> None:
    samples = np.zeros(10 * RATE, np.float32)
    samples[5 * RATE] = 0.9
    peaks = drawn(tmp_path / "take.wav", samples)
    assert [part for part, high in enumerate(peaks.highs) if high] == [PARTS // 2]
    assert set(peaks.lows) == {0.0}


def test_sounds_follow_one_another_with_their_silences(tmp_path: Path) -> None:
    for name, loudness in (("a.wav", 0.2), ("b.wav", 0.6)):
        write_take(tmp_path / name, tone(1.0, loudness), RATE)
    peaks = picture([(measure(tmp_path / "a.wav", parts=7), 2.0), (measure(tmp_path / "b.wav"), 0.0)])
    assert peaks.seconds == 4.0
    quarters = [peaks.highs[part * PARTS // 8] for part in (1, 3, 5, 7)]
    assert quarters == pytest.approx([0.2, 0.0, 0.0, 0.6], abs=0.01)


def test_a_sound_shorter_than_the_picture_has_no_holes(tmp_path: Path) -> None:
    peaks = drawn(tmp_path / "take.wav", np.full(10, 0.5, np.float32))
    assert set(peaks.highs) == {0.5}


def test_of_a_very_long_part_the_beginning_counts(tmp_path: Path) -> None:
    write_take(tmp_path / "take.wav", np.r_[np.full(BLOCK_SAMPLES, 0.1), np.full(BLOCK_SAMPLES, 0.9)], RATE)
    measured = measure(tmp_path / "take.wav", parts=1)
    assert measured.levels[1] == pytest.approx([0.1])
    assert measured.seconds == 2 * BLOCK_SAMPLES / RATE


def test_nothing_and_no_sound_at_all_are_pictures_too(tmp_path: Path) -> None:
    assert picture([]) == Peaks(0.0, (), ())
    assert drawn(tmp_path / "take.wav", np.zeros(0, np.float32)) == Peaks(0.0, (), ())


def test_what_is_no_sound_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello")
    os.mkfifo(tmp_path / "pipe.wav")
    for name, why in (
        ("text.wav", "not a WAV file|ends within"),
        ("pipe.wav", "no regular file"),
        ("none.wav", "gone"),
    ):
        with pytest.raises(DamagedTake, match=why):
            measure(tmp_path / name)


def test_it_stops_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    write_take(tmp_path / "take.wav", tone(1, 0.5), RATE)
    with pytest.raises(Abandoned):
        measure(tmp_path / "take.wav", should_stop=lambda: True)
