"""The finished file: a mono WAV that appears when it is whole, or not at all."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from cbtui import atomic
from cbtui.audio import wav
from cbtui.audio.assemble import Assembly
from cbtui.audio.room import explaining_failure
from cbtui.audio.takes import Samples
from cbtui.core.task import SampleFormat

_FULL_SCALE = 32767


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that was written. `samples` counts them, `bytes` is the file's size.

    `peak` and `rms` are of the assembled samples, 1.0 being full scale; a peak above 1 tells how far int16 was
    overdriven. `clipped` counts the samples that int16 had to clamp; float32 keeps them, so it is 0 there.
    """

    path: Path
    seconds: float
    samples: int
    bytes: int
    peak: float
    rms: float
    clipped: int


def export(path: Path, assembly: Assembly, sample_format: SampleFormat) -> Finished:
    """Write the assembly as WAV, RF64 when it is over 4 GiB; equal samples make equal bytes.

    A file that has them already stays as it is, so one whose manifest a killed process did not write is not made twice.

    Raises DamagedTake for a take that is not usable, and OSError naming `path`; its errno is ENOSPC when there is
    no room, and the message then says how many bytes are needed and free. Either way `path` is as it was.
    """
    samples = assembly.count_samples()
    return write_wav(path, assembly.blocks(), samples=samples, rate=assembly.rate, sample_format=sample_format)


def write_wav(
    path: Path, blocks: Iterable[Samples], *, samples: int, rate: int, sample_format: SampleFormat
) -> Finished:
    """Write finite mono blocks that hold `samples` samples in all, as `export` does.

    Raises ValueError when they hold another number.
    """
    start = wav.header(samples, rate, sample_format)
    size = len(start) + samples * wav.SAMPLE_BYTES[sample_format]
    levels = _Levels()
    with explaining_failure(path, size), atomic.replacing(path, keep_equal=True) as file:
        file.write(start)
        for block in blocks:
            levels.hear(block)
            file.write(_encode(block, sample_format))
        if levels.samples != samples:
            raise ValueError(f"{path}: {levels.samples} samples came, {samples} were announced")
        _require_size(file, size)
    return Finished(
        path=path,
        seconds=samples / rate,
        samples=samples,
        bytes=size,
        peak=levels.peak,
        rms=math.sqrt(levels.energy / samples) if samples else 0.0,
        clipped=levels.over if sample_format == "int16" else 0,
    )


def to_int16(samples: Samples) -> npt.NDArray[np.int16]:
    """Samples clamped to [-1, 1], times 32767, rounded to the nearest integer (ties to even). No dither.

    32767 keeps 1.0 and -1.0 equally loud and in range.
    """
    scaled = np.clip(samples.astype(np.float64), -1.0, 1.0) * _FULL_SCALE
    rounded: npt.NDArray[np.int16] = np.rint(scaled).astype("<i2")
    return rounded


def _encode(block: Samples, sample_format: SampleFormat) -> bytes:
    if sample_format == "int16":
        return to_int16(block).tobytes()
    return block.astype("<f4").tobytes()


def _require_size(file: BinaryIO, size: int) -> None:
    file.flush()
    written = os.fstat(file.fileno()).st_size
    if written != size:
        raise OSError(errno.ENOSPC, f"only {written} of {size} bytes were kept")


class _Levels:
    """What passed by so far."""

    def __init__(self) -> None:
        self.samples = 0
        self.over = 0
        self.peak = 0.0
        self.energy = 0.0

    def hear(self, block: Samples) -> None:
        if not len(block):
            return
        magnitude = np.abs(block.astype(np.float64))
        self.samples += len(block)
        self.over += int(np.count_nonzero(magnitude > 1.0))
        self.peak = max(self.peak, float(magnitude.max()))
        self.energy += float(np.square(magnitude).sum())
