"""From espeak-ng's 22,050 Hz to Chatterbox's 24,000 Hz, so that drafts and final speech share one sample rate."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np
import numpy.typing as npt

# The taps to each side of a sample, the window's shape (about 90 dB down outside the passband), and where the
# passband ends, of the lower Nyquist frequency. A sine comes out with an error below -95 dB up to 9.5 kHz, and
# -59 dB at 10 kHz (measured).
_HALF_WIDTH = 48
_KAISER_BETA = 9.0
_PASSBAND = 0.96

_Floats = npt.NDArray[np.float64]


def resample(samples: npt.NDArray[np.int16], rate: int, wanted_rate: int) -> npt.NDArray[np.float32]:
    """int16 samples as float32 within about [-1, 1] at `wanted_rate` Hz, of the same duration; no lower than `rate`.

    Band-limited interpolation by a polyphase bank of windowed sincs: J. O. Smith, "Digital Audio Resampling",
    https://ccrma.stanford.edu/~jos/resample/. With `wanted_rate / rate` in lowest terms up / down, sample n of the
    result lies at n * down / up of the input; its filter depends only on n modulo `up`.
    """
    if wanted_rate < rate:
        raise ValueError(f"{wanted_rate} Hz is lower than {rate} Hz: only raising the rate is supported")
    ratio = Fraction(wanted_rate, rate)
    up, down = ratio.numerator, ratio.denominator
    length = round(len(samples) * ratio)
    rounds = -(-length // up)
    padded = np.zeros(_HALF_WIDTH - 1 + rounds * down + down + _HALF_WIDTH)
    padded[_HALF_WIDTH - 1 : _HALF_WIDTH - 1 + len(samples)] = samples / 32768.0
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HALF_WIDTH)
    result = np.empty((rounds, up))
    for phase, filter_ in enumerate(_filter_bank(up, down)):
        # einsum sums in one fixed order; a matrix product's order depends on the number of threads.
        result[:, phase] = np.einsum("ij,j->i", windows[phase * down // up :: down][:rounds], filter_)
    return result.reshape(-1)[:length].astype(np.float32)


@functools.cache
def _filter_bank(up: int, down: int) -> _Floats:
    """One filter for each phase, shape [up, 2 * half width]; each sums to 1, so that a constant stays itself."""
    offsets = np.arange(1 - _HALF_WIDTH, _HALF_WIDTH + 1)
    phases = (np.arange(up) * down % up / up)[:, np.newaxis]
    times = offsets - phases
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (times / _HALF_WIDTH) ** 2, 0, 1))) / np.i0(_KAISER_BETA)
    bank = np.asarray(np.sinc(_PASSBAND * times) * window, dtype=np.float64)
    return np.asarray(bank / bank.sum(axis=1, keepdims=True), dtype=np.float64)
