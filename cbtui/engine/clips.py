"""Reading a reference clip so that nothing unusable, endless or changed reaches the model."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cbtui.engine.base import UnusableReference

if TYPE_CHECKING:
    import soundfile

MAX_BYTES = 200 * 1024 * 1024
MAX_SECONDS = 300.0
# Shorter clips give a voice that is noise; Turbo's own code asks for more than five seconds.
MIN_SECONDS = 1.0
# -60 dB of full scale: below it there is no voice to hear.
_SILENT_RMS = 1e-3
# The library decodes a clip whole: this many samples are 0.25 GB.
_MAX_SAMPLES = 60_000_000
_BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class Clip:
    """A checked clip. `content` is the file's bytes, `digest` their SHA-256, `seconds` its length."""

    path: Path
    content: bytes
    digest: str
    seconds: float

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.content)


def read_clip(path: Path, *, min_seconds: float = MIN_SECONDS) -> Clip:
    """The clip at `path`. Raises UnusableReference, saying what is wrong with it and what to do."""
    import soundfile

    content = _read(path)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            _check_length(path, file, min_seconds)
            _check_samples(path, file)
            seconds = file.frames / file.samplerate
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise UnusableReference(
            f"the reference clip {path} is not a sound file that can be read ({error}). Save it as WAV or FLAC."
        ) from error
    return Clip(path, content, hashlib.sha256(content).hexdigest(), seconds)


def digest_clip(path: Path) -> str:
    """SHA-256 of a clip's content, 64 hex digits. Raises UnusableReference."""
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a FIFO hangs here for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnusableReference(f"the reference clip {path} is not a file.")
            if status.st_size > MAX_BYTES:
                raise UnusableReference(f"the reference clip {path} is larger than 200 MiB. Cut it to 10 to 30 s.")
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableReference(f"the reference clip {path} cannot be read: {error.strerror}.") from error


def _lacking_bytes(extra_info: str) -> str | None:
    """What libsndfile notes when a chunk claims more bytes than the file has: `data : 96044 (should be 48000)`."""
    found = re.search(r"^\s*data\s*:\s*(\d+) \(should be (\d+)\)", extra_info, re.MULTILINE)
    if not found:
        return None
    claimed, there = int(found[1]), int(found[2])
    # A streaming writer that never learned the length claims the largest number there is.
    return f"it says {claimed} bytes of sound and has {there}" if there < claimed < 0x7FFFFFFF else None


def _check_length(path: Path, file: soundfile.SoundFile, min_seconds: float) -> None:
    lacking = _lacking_bytes(file.extra_info)
    if lacking:
        raise UnusableReference(f"the reference clip {path} is cut off: {lacking}. Copy it again.")
    seconds = file.frames / file.samplerate
    if seconds < min_seconds:
        raise UnusableReference(
            f"the reference clip {path} is {seconds:.2f} s long; at least {min_seconds:g} s are needed, 10 s are good."
        )
    if seconds > MAX_SECONDS or file.frames * file.channels > _MAX_SAMPLES:
        raise UnusableReference(
            f"the reference clip {path} is {seconds:.0f} s long, {file.channels} channels of {file.samplerate} Hz; "
            f"at most {MAX_SECONDS:.0f} s of stereo are read. Cut it to 10 to 30 s."
        )


def _check_samples(path: Path, file: soundfile.SoundFile) -> None:
    """Read all samples, block by block: whether they are there, are numbers, and can be heard."""
    import numpy as np

    read, energy = 0, 0.0
    for block in file.blocks(_BLOCK_FRAMES, dtype="float32", always_2d=True):
        if not np.isfinite(block).all():
            raise UnusableReference(f"the reference clip {path} holds samples that are not numbers. Export it again.")
        read += len(block)
        energy += float(np.square(block, dtype=np.float64).sum())
    if read < file.frames:
        raise UnusableReference(
            f"the reference clip {path} is cut off: {file.frames} frames are announced, {read} can be read. "
            "Copy it again."
        )
    if (energy / (read * file.channels)) ** 0.5 < _SILENT_RMS:
        raise UnusableReference(f"the reference clip {path} is silent. Choose one with a clear voice.")
