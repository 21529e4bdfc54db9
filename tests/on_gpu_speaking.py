"""From tokens to sound: chunks in one batch beside each alone."""

from __future__ import annotations

import time
from typing import Any

import torch

from cbtui.core.task import ModelName, Precision
from cbtui.engine.chatterbox.conditionals import flatten_voice, s3gen_reference
from cbtui.engine.chatterbox.vocode import Speech, Vocoder
from tests.engine.stock import load_stock
from tests.support.checkpoint import checkpoint

# Tokens of chunks of a book.
LENGTHS = (250, 90, 310, 180, 40, 270, 220, 130)
# Relative to the peak; on the CPU there is none.
MOST_DIFFERENCES: dict[Precision, float] = {"exact": 1e-4, "fast": 5e-3}


def batch_against_each_alone(device: str, *, lengths: tuple[int, ...] = LENGTHS) -> dict[str, Any]:
    """S3Gen of a test checkpoint has its full size, so seconds are those of the released models; by precision.

    `difference`: the greatest of the samples, relative to the peak.
    """
    name: ModelName = "english"
    model = load_stock(name, checkpoint(name), device)
    found: dict[str, Any] = {}
    for precision in MOST_DIFFERENCES:
        vocoder = Vocoder(model, precision)
        # What comes first pays for kernels and their workspaces.
        for batch in (lengths, *((length,) for length in lengths)):
            _spoken(vocoder, model, batch)
        alone, alone_seconds = _timed(vocoder, model, *((length,) for length in lengths))
        together, seconds = _timed(vocoder, model, lengths)
        found[precision] = {
            "chunks": len(lengths),
            "alone_seconds": alone_seconds,
            "together_seconds": seconds,
            "speedup": alone_seconds / seconds,
            "difference": _greatest_difference(together, alone),
        }
    return found


def _timed(vocoder: Vocoder, model: Any, *batches: tuple[int, ...]) -> tuple[list[torch.Tensor], float]:
    started = time.perf_counter()
    spoken = [samples for batch in batches for samples in _spoken(vocoder, model, batch)]
    return spoken, time.perf_counter() - started


def _spoken(vocoder: Vocoder, model: Any, lengths: tuple[int, ...]) -> list[torch.Tensor]:
    device = model.t3.device
    reference = s3gen_reference(flatten_voice(model.conds), device)
    chunks = [
        Speech(
            torch.randint(0, 6561, (length,), generator=torch.Generator().manual_seed(length)).to(device),
            reference,
            length,
            torch.Generator(device).manual_seed(length),
        )
        for length in lengths
    ]
    return [torch.from_numpy(each) for each in vocoder.render(chunks, steps=None, should_stop=lambda: False)]


def _greatest_difference(given: list[torch.Tensor], expected: list[torch.Tensor]) -> float:
    """NaN where a single sample is."""
    each = [(one - other).abs().max() / other.abs().max() for one, other in zip(given, expected, strict=True)]
    return float(torch.stack(each).max())


def sounds_alike(found: dict[str, Any]) -> bool:
    return all(found[precision]["difference"] < most for precision, most in MOST_DIFFERENCES.items())
