"""How loud a sound is over time, for a picture of it: the least and the greatest sample of each of its parts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cbtui.audio.takes import BLOCK_SAMPLES, DamagedTake, Samples, open_wav

if TYPE_CHECKING:
    import soundfile

# Two columns of dots in each cell of a screen of 512 cells.
PARTS = 1024


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
    levels: npt.NDArray[np.float32]


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
        for part, (start, end) in enumerate(itertools.pairwise(edges)):
            if should_stop():
                raise Abandoned
            heard = np.nan_to_num(_hear(path, file, int(start), int(end - start)))
            if len(heard):
                levels[:, part] = heard.min(), heard.max()
        return Measured(samples / file.samplerate, levels)


def picture(sounds: Sequence[tuple[Measured, float]]) -> Peaks:
    """Sounds one after another, each with the seconds of silence that follow it, in `PARTS` parts."""
    seconds = sum(sound.seconds + silence for sound, silence in sounds)
    if not seconds:
        return Peaks(0.0, (), ())
    levels = np.zeros((2, PARTS), np.float32)
    begin = 0.0
    for sound, silence in sounds:
        if sound.levels.shape[1]:
            _draw(levels, sound, begin / seconds * PARTS, sound.seconds / seconds * PARTS)
        begin += sound.seconds + silence
    return Peaks(seconds, tuple(levels[0].tolist()), tuple(levels[1].tolist()))


def _hear(path: Path, file: soundfile.SoundFile, start: int, samples: int) -> Samples:
    import soundfile

    try:
        file.seek(start)
        heard: Samples = file.read(min(samples, BLOCK_SAMPLES), dtype="float32")
    except soundfile.SoundFileError as error:
        raise DamagedTake(str(path), str(error)) from error
    return heard


def _draw(levels: npt.NDArray[np.float32], sound: Measured, begin: float, length: float) -> None:
    """Draw a sound into the parts from `begin` on, `length` of them; both may be fractions."""
    parts = sound.levels.shape[1]
    # Every part of the sound reaches a part of the picture, and every part of the picture one of the sound.
    middles = (begin + (np.arange(parts) + 0.5) / parts * length).astype(np.int64).clip(0, PARTS - 1)
    np.minimum.at(levels[0], middles, sound.levels[0])
    np.maximum.at(levels[1], middles, sound.levels[1])
    columns = np.arange(np.ceil(begin), min(PARTS, begin + length), dtype=np.int64)
    sources = ((columns + 0.5 - begin) / length * parts).astype(np.int64).clip(0, parts - 1)
    np.minimum.at(levels[0], columns, sound.levels[0][sources])
    np.maximum.at(levels[1], columns, sound.levels[1][sources])
