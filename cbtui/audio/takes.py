"""Takes on disk: 32-bit float WAV, so that nothing is lost before the finished file, and whole or refused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cbtui import atomic
from cbtui.audio import wav
from cbtui.audio.room import explaining_failure

if TYPE_CHECKING:
    import soundfile

Samples = npt.NDArray[np.float32]

BLOCK_SAMPLES = 1 << 16


class DamagedTake(Exception):
    """A take that must not reach a finished file. `name` is its path, or what the caller calls it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be used: {reason}")
        self.name = name
        self.reason = reason


def write_take(path: Path, samples: Samples, rate: int) -> None:
    """Write mono float32 samples, shape [n], at `rate` Hz; the same samples make the same bytes.

    Raises DamagedTake when a sample is not a finite number, and OSError; either way `path` is as it was.
    """
    require_finite(str(path), samples)
    data = np.ascontiguousarray(samples, dtype="<f4")
    if data.ndim != 1:
        raise ValueError(f"a take is mono, of shape [n], not {data.shape}")
    content = wav.header(len(data), rate, "float32") + data.tobytes()
    with explaining_failure(path, len(content)):
        atomic.write_bytes(path, content)


def read_take(path: Path) -> tuple[Samples, int]:
    """The samples of a take, mono float32, and their rate in Hz. Raises DamagedTake, and OSError for a missing file."""
    with open_wav(path) as file:
        samples = read_block(path, file, file.frames)
        rate = int(file.samplerate)
    require_finite(str(path), samples)
    return samples, rate


def count_samples(path: Path, rate: int) -> int:
    """How many samples a take holds, by its header. Raises DamagedTake, also for another rate, and OSError."""
    with open_wav(path) as file:
        if file.samplerate != rate:
            raise DamagedTake(str(path), f"it has {file.samplerate} Hz, the others {rate} Hz")
        return int(file.frames)


def stream_take(path: Path) -> Iterator[Samples]:
    """The samples of a take in blocks of at most `BLOCK_SAMPLES`. Raises as `read_take`, for NaN on the way."""
    with open_wav(path) as file:
        for start in range(0, file.frames, BLOCK_SAMPLES):
            block = read_block(path, file, min(BLOCK_SAMPLES, file.frames - start))
            require_finite(str(path), block)
            yield block


def require_finite(name: str, samples: Samples) -> None:
    """Raises DamagedTake when a sample is NaN or infinite."""
    finite = np.isfinite(samples)
    if not finite.all():
        first = int(np.argmin(finite))
        raise DamagedTake(name, f"{int((~finite).sum())} of its samples are not finite, the first is number {first}")


@contextlib.contextmanager
def open_wav(path: Path) -> Iterator[soundfile.SoundFile]:
    """A whole mono WAV file, open for reading. Raises DamagedTake, and OSError for a missing file."""
    import soundfile

    with path.open("rb") as raw:
        try:
            # libsndfile takes a cut-off file for a shorter one.
            missing = wav.missing_bytes(raw)
        except ValueError as error:
            raise DamagedTake(str(path), str(error)) from error
        if missing:
            raise DamagedTake(str(path), f"it is cut off, {missing} bytes are missing at its end")
        raw.seek(0)
        try:
            # The open file and not its name, which libsndfile wants in UTF-8.
            file = soundfile.SoundFile(raw)
        except soundfile.SoundFileError as error:
            raise DamagedTake(str(path), str(error)) from error
        with file:
            if file.channels != 1:
                raise DamagedTake(str(path), f"it has {file.channels} channels, a take is mono")
            yield file


def read_block(path: Path, file: soundfile.SoundFile, count: int) -> Samples:
    """The next `count` samples of an open file. Raises DamagedTake where there are fewer."""
    import soundfile

    try:
        samples: Samples = file.read(count, dtype="float32")
    except soundfile.SoundFileError as error:
        raise DamagedTake(str(path), str(error)) from error
    if len(samples) != count:
        raise DamagedTake(str(path), f"{count} samples are announced and {len(samples)} can be read")
    return samples
