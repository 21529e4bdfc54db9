"""Reading the tensors of a safetensors file into memory of our own, at the speed of the disk's cache.

Copying out of a mapped file faults in each of its pages and each of the copy's: 0.7 to 2.2 s for 1 GB where reading
into one block takes 0.3 s (measured). Each tensor begins at a multiple of 64 bytes, on which kernels give the bits
that they give for torch's own memory.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import weakref
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from cbtui.engine.base import EngineUnavailable

_ALIGNMENT = 64
# As the format names them (safetensors 0.5); others are not in the released checkpoints.
_DTYPES = {
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F64": torch.float64,
    "I64": torch.int64,
    "I32": torch.int32,
    "BOOL": torch.bool,
    "U8": torch.uint8,
}
# One thread copies out of the disk's cache at about half of what memory gives.
_THREADS = 2


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a tensor lies in the file, in bytes, and where in the memory that it is read into."""

    name: str
    begin: int
    size: int
    at: int


class TensorFile:
    """A file that safetensors has opened before and found sound. It stays open, whatever takes its name meanwhile."""

    def __init__(self, path: Path) -> None:
        """Raises EngineUnavailable, as all methods do, for a file that cannot be read any more."""
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise self._unreadable(error) from error
        weakref.finalize(self, os.close, self._descriptor)
        length = bytearray(8)
        self._read(memoryview(length), 0)
        [size] = struct.unpack("<Q", length)
        header = bytearray(size)
        self._read(memoryview(header), 8)
        self._data = 8 + size
        self._header = json.loads(header)

    def read(self, names: Collection[str]) -> dict[str, torch.Tensor]:
        """Tensors in one block of memory."""
        places = self._places(names, _ALIGNMENT)
        block = _block(sum(-(-place.size // _ALIGNMENT) * _ALIGNMENT for place in places))
        view = memoryview(block.numpy())  # type: ignore[arg-type]
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(lambda number: self._read_all(places[number::_THREADS], view), range(_THREADS)))
        return {place.name: self._tensor(place, block) for place in places}

    def read_rows(self, names: Sequence[str], scratch: torch.Tensor) -> torch.Tensor:
        """The rows of these weights of shape [n, m], one weight below the other, in the memory of `scratch` (uint8)."""
        places = self._places(names, 1)
        self._read_all(places, memoryview(scratch.numpy()))  # type: ignore[arg-type]
        joined = scratch[: sum(place.size for place in places)].view(_DTYPES[self._header[names[0]]["dtype"]])
        return joined.reshape(-1, *self._header[names[0]]["shape"][1:])

    def bytes_of(self, names: Collection[str]) -> int:
        return sum(place.size for place in self._places(names, 1))

    def _places(self, names: Collection[str], alignment: int) -> list[_Place]:
        places, at = [], 0
        for name in names:
            begin, end = self._header[name]["data_offsets"]
            places.append(_Place(name, begin, end - begin, at))
            at += -(-(end - begin) // alignment) * alignment
        return places

    def _tensor(self, place: _Place, block: torch.Tensor) -> torch.Tensor:
        entry = self._header[place.name]
        return block[place.at : place.at + place.size].view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])

    def _read_all(self, places: list[_Place], view: memoryview) -> None:
        for place in places:
            self._read(view[place.at : place.at + place.size], self._data + place.begin)

    def _read(self, into: memoryview, offset: int) -> None:
        done = 0
        while done < len(into):
            try:
                count = os.preadv(self._descriptor, [into[done:]], offset + done)
            except OSError as error:
                raise self._unreadable(error) from error
            if not count:
                raise EngineUnavailable(f"{self._path} ends too early. Delete it and download it again.")
            done += count

    def _unreadable(self, error: OSError) -> EngineUnavailable:
        return EngineUnavailable(
            f"{self._path} cannot be read: {error.strerror}. See to its disk, or download it again."
        )


def _block(size: int) -> torch.Tensor:
    """So many bytes of memory, in large pages where the system has them: then it hands them out ten times as fast."""
    if not size:
        return torch.empty(0, dtype=torch.uint8)
    memory = mmap.mmap(-1, size)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(memory, dtype=torch.uint8)
