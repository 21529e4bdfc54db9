"""Takes and silences become one stream of samples, block by block: a book of ten hours is never in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cbtui.audio.takes import BLOCK_SAMPLES, DamagedTake, Samples, count_samples, require_finite, stream_take


@dataclass(frozen=True, slots=True)
class Take:
    """One chosen take: mono float32 samples, shape [n], or a WAV file of them. `name` is for messages."""

    name: str
    source: Samples | Path
    ends_paragraph: bool = False


@dataclass(frozen=True, slots=True)
class Assembly:
    """Takes in their order at `rate` Hz, a silence after each but the last. Silences are in seconds."""

    takes: Sequence[Take]
    rate: int
    chunk_silence: float
    paragraph_silence: float

    def count_samples(self) -> int:
        """The length of the whole, from the headers of the takes. Raises DamagedTake and OSError."""
        spoken = sum(self._count(take) for take in self.takes)
        return spoken + sum(self._silence_after(take) for take in self.takes[:-1])

    def blocks(self) -> Iterator[Samples]:
        """The whole in blocks of at most `BLOCK_SAMPLES`. Raises DamagedTake, naming the take, and OSError."""
        for position, take in enumerate(self.takes):
            if position:
                yield from _silence(self._silence_after(self.takes[position - 1]))
            yield from _blocks_of(take)

    def _count(self, take: Take) -> int:
        if isinstance(take.source, Path):
            return count_samples(take.source, self.rate)
        return len(take.source)

    def _silence_after(self, take: Take) -> int:
        seconds = self.paragraph_silence if take.ends_paragraph else self.chunk_silence
        return round(seconds * self.rate)


def _blocks_of(take: Take) -> Iterator[Samples]:
    if isinstance(take.source, Path):
        yield from stream_take(take.source)
        return
    if take.source.ndim != 1:
        raise DamagedTake(take.name, f"a take is mono, of shape [n], not {take.source.shape}")
    require_finite(take.name, take.source)
    for start in range(0, len(take.source), BLOCK_SAMPLES):
        yield take.source[start : start + BLOCK_SAMPLES]


def _silence(samples: int) -> Iterator[Samples]:
    for start in range(0, samples, BLOCK_SAMPLES):
        yield np.zeros(min(BLOCK_SAMPLES, samples - start), np.float32)
