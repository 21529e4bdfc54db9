"""The header of a WAV file: written so that equal samples make equal bytes, and read to tell whether a file is whole.

libsndfile writes a time stamp into float files and leaves a cut-off file on a full disk; so files are written here
and only read with it. Layouts: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF) and EBU Tech
3306 (RF64, for files over 4 GiB).
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from cbtui.core.task import SampleFormat

SAMPLE_BYTES: dict[SampleFormat, int] = {"int16": 2, "float32": 4}

_PCM, _FLOAT = 1, 3
_RIFF_LIMIT = 0xFFFFFFFF
_ELSEWHERE = 0xFFFFFFFF  # the true size stands in the ds64 chunk


def header(samples: int, rate: int, sample_format: SampleFormat) -> bytes:
    """The bytes before `samples` mono samples at `rate` Hz: RIFF where 32-bit sizes suffice, else RF64."""
    width = SAMPLE_BYTES[sample_format]
    data_bytes = samples * width
    tag = _PCM if sample_format == "int16" else _FLOAT
    format_chunk = struct.pack("<HHIIHH", tag, 1, rate, rate * width, width, 8 * width)
    chunks = b""
    if sample_format == "float32":
        format_chunk += struct.pack("<H", 0)
        # A fact chunk is due for everything but PCM.
        chunks = struct.pack("<4sII", b"fact", 4, min(samples, _ELSEWHERE))
    chunks = struct.pack("<4sI", b"fmt ", len(format_chunk)) + format_chunk + chunks
    size = len(b"WAVE") + len(chunks) + 8 + data_bytes
    if size <= _RIFF_LIMIT:
        return struct.pack("<4sI4s", b"RIFF", size, b"WAVE") + chunks + struct.pack("<4sI", b"data", data_bytes)
    large = struct.pack("<4sIQQQI", b"ds64", 28, size + 36, data_bytes, samples, 0)
    start = struct.pack("<4sI4s", b"RF64", _ELSEWHERE, b"WAVE")
    return start + large + chunks + struct.pack("<4sI", b"data", _ELSEWHERE)


def missing_bytes(file: BinaryIO) -> int:
    """How many bytes of samples a WAV file announces and does not hold; 0 for a whole one.

    Raises ValueError saying what is wrong when `file`, open and seekable, is no WAV file or ends in its header.
    """
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    kind, _size, form = struct.unpack("<4sI4s", _read(file, 12))
    if kind not in {b"RIFF", b"RF64"} or form != b"WAVE":
        raise ValueError("it is not a WAV file")
    large_size = None
    while True:
        name, size = struct.unpack("<4sI", _read(file, 8))
        if name == b"data":
            announced = large_size if size == _ELSEWHERE and large_size is not None else size
            return max(0, int(announced) - (length - file.tell()))
        start = file.tell()
        if name == b"ds64":
            large_size = struct.unpack("<QQ", _read(file, 16))[1]
        # Chunks start at even places.
        file.seek(start + size + size % 2)


def _read(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it ends within its header" if file.tell() else "it is empty")
    return data
