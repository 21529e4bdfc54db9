"""Spoken clips made on the spot by espeak-ng, and what tests measure in sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cbtui.audio.takes import Samples, write_take
from cbtui.core.events import ignore_events
from cbtui.core.task import Sampling
from cbtui.engine.base import ChunkRequest, ChunkResult, Voice
from cbtui.engine.espeak import EspeakEngine

_TEXT = (
    "The ferry leaves at a quarter past nine, and it never waits. Bring bread, a warm coat, and the letter that came "
    "on Tuesday. If the fog is thick we take the longer way along the shore."
)


def reference_clip(path: Path, seconds: float = 8, voice: str = "en-us", text: str = _TEXT) -> Path:
    """Write a spoken mono WAV, 32-bit float at 24 kHz, exactly `seconds` long; the text repeats until it is filled."""
    request = ChunkRequest("clip", text, Voice("clip", espeak_voice=voice), Sampling(), seed=0, language="en")
    engine = EspeakEngine(workers=1)
    (result,) = engine.render([request], emit=ignore_events, should_stop=lambda: False)
    assert isinstance(result, ChunkResult), result
    write_take(path, np.resize(result.samples, round(seconds * engine.sample_rate)), engine.sample_rate)
    return path


def rms(samples: Samples) -> float:
    """Root mean square, 1.0 being full scale; 0 for no samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def longest_silence(samples: Samples, rate: int, threshold: float = 1e-3) -> float:
    """Seconds of the longest run of samples whose magnitude is at most `threshold`."""
    loud = np.flatnonzero(np.abs(samples) > threshold)
    borders = np.concatenate(([-1], loud, [len(samples)]))
    return float(np.diff(borders).max() - 1) / rate
