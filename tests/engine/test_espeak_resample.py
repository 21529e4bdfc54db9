"""Resampling keeps pitch, level and duration."""

from __future__ import annotations

import numpy as np
import pytest

from cbtui.engine.espeak.resample import resample

FROM, TO = 22_050, 24_000


@pytest.mark.parametrize("frequency", [50, 440, 3000, 7000, 9500])
def test_a_sine_stays_that_sine(frequency: int) -> None:
    times = np.arange(FROM) / FROM
    result = resample(np.rint(30_000 * np.sin(2 * np.pi * frequency * times)).astype(np.int16), FROM, TO)

    expected = 30_000 / 32768 * np.sin(2 * np.pi * frequency * np.arange(TO) / TO)
    # The filter reaches 48 samples over each end, where the sine starts out of nothing.
    error = (result - expected)[60:-60]
    assert 20 * np.log10(error.std() / expected.std()) < -80


def test_a_constant_stays_that_constant() -> None:
    result = resample(np.full(5000, 16_384, np.int16), FROM, TO)
    assert np.allclose(result[60:-60], 0.5, atol=1e-6)


@pytest.mark.parametrize("length", [0, 1, 146, 147, 148, 22_050, 100_001])
def test_the_duration_stays(length: int) -> None:
    result = resample(np.zeros(length, np.int16), FROM, TO)
    assert abs(len(result) / TO - length / FROM) <= 0.5 / TO
    assert result.dtype == np.float32


def test_an_impulse_stays_in_its_place() -> None:
    samples = np.zeros(4410, np.int16)
    samples[2205] = 32_767
    assert np.argmax(resample(samples, FROM, TO)) == 2400


def test_the_same_rate_only_becomes_float_with_the_passband_of_the_filter() -> None:
    samples = (10_000 * np.sin(np.arange(2000) / 10)).astype(np.int16)
    assert np.allclose(resample(samples, TO, TO)[60:-60], samples[60:-60] / 32768, atol=1e-4)


def test_lowering_the_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="lower"):
        resample(np.zeros(10, np.int16), TO, FROM)
