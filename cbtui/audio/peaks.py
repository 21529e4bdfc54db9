"""How loud a sound is over time, for a picture of it: the least and the greatest sample of each of its parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cbtui.audio.takes import BLOCK_SAMPLES, DamagedTake, open_wav, read_block

# Two columns of dots in each cell of a screen of 512 cells.
PARTS = 1024

Levels = npt.NDArray[np.float32]


class Abandoned(Exception):
    """Nobody wants the picture any more."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """A sound of `seconds` in parts of equal length: the least and the greatest sample of each; 1.0 is full scale."""

    seconds: float
    lows: tuple[float, ...]
    highs: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Peaks of one file. `levels` has the shape [2, parts]: the least samples, then the greatest."""

    seconds: float
    levels: Levels


def measure(path: Path, *, parts: int = PARTS, should_stop: Callable[[], bool] = lambda: False) -> Measured:
    """The peaks of a mono WAV file in at most `parts` parts.

    Of each part, the first `BLOCK_SAMPLES` samples count: all there are of a sound of 46 minutes at 24 kHz, and
    enough to see the shape of a longer one. Raises DamagedTake, OSError, and Abandoned once `should_stop` says so.
    """
    if not path.is_file():
        # Opening a FIFO would wait for ever.
        raise DamagedTake(str(path), "it is no regular file" if path.exists() else "it is gone")
    with open_wav(path) as file:
        samples = int(file.frames)
        edges = np.linspace(0, samples, min(parts, samples) + 1).astype(np.int64)
        levels = np.zeros((2, len(edges) - 1), np.float32)
        # As many parts at a time as fit into a block, and at least one.
        together = max(1, BLOCK_SAMPLES * (len(edges) - 1) // max(1, samples))
        for first in range(0, len(edges) - 1, together):
            if should_stop():
                raise Abandoned
            chosen = edges[first : first + together + 1]
            file.seek(int(chosen[0]))
            heard = np.nan_to_num(read_block(path, file, min(BLOCK_SAMPLES, int(chosen[-1] - chosen[0]))))
            starts = chosen[:-1] - chosen[0]
            levels[0, first : first + together] = np.minimum.reduceat(heard, starts)
            levels[1, first : first + together] = np.maximum.reduceat(heard, starts)
        return Measured(samples / file.samplerate, levels)


def picture(sounds: Sequence[tuple[Measured, float]]) -> Peaks:
    """Sounds one after another, each with the seconds of silence that follow it, in `PARTS` parts."""
    heard = [(sound, silence) for sound, silence in sounds if sound.levels.shape[1]]
    seconds = sum(sound.seconds + silence for sound, silence in heard)
    if not seconds:
        return Peaks(0.0, (), ())
    scale = PARTS / seconds
    lengths = np.array([sound.seconds for sound, _ in heard]) * scale
    begins = np.cumsum([0.0, *(sound.seconds + silence for sound, silence in heard)])[:-1] * scale
    counts = np.array([sound.levels.shape[1] for sound, _ in heard])
    offsets = np.cumsum(counts) - counts
    levels = np.concatenate([sound.levels for sound, _ in heard], axis=1)
    drawn = np.zeros((2, PARTS), np.float32)
    # Every part of a sound reaches a part of the picture,
    inside = np.arange(levels.shape[1]) - np.repeat(offsets, counts) + 0.5
    places = (np.repeat(begins, counts) + inside * np.repeat(lengths / counts, counts)).astype(np.int64)
    _widen(drawn, places.clip(0, PARTS - 1), levels)
    # and every part of the picture one of a sound, unless it is in a silence.
    middles = np.arange(PARTS) + 0.5
    which = np.searchsorted(begins, middles, side="right") - 1
    shares = (middles - begins[which]) / lengths[which]
    spoken = np.flatnonzero(shares < 1)
    sources = offsets[which] + (shares * counts[which]).astype(np.int64)
    _widen(drawn, spoken, levels[:, sources[spoken]])
    return Peaks(float(seconds), tuple(drawn[0].tolist()), tuple(drawn[1].tolist()))


def _widen(drawn: Levels, places: npt.NDArray[np.int64], levels: Levels) -> None:
    np.minimum.at(drawn[0], places, levels[0])
    np.maximum.at(drawn[1], places, levels[1])
