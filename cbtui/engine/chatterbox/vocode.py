"""From speech tokens to samples, and to watermarked ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.decode import Stopped
from cbtui.engine.chatterbox.flow import Flow
from cbtui.engine.chatterbox.upsampling import Upsampling

if TYPE_CHECKING:
    from cbtui.engine.base import Samples

# What `ChatterboxTurboTTS.generate` appends: `S3GEN_SIL`, thrice.
_TURBO_SILENCE = (4299,) * 3


@dataclass(frozen=True, slots=True)
class Speech:
    """One chunk to be spoken. `tokens`: shape [n], below 6561; `reference` as `S3Gen.embed_ref` gives it.

    S3Gen draws its noise from torch's global generators; they are seeded with `seed`, and the device's own continues
    `generator`, as it would after the library's own decoding, so that the samples are the library's for the same seed.
    """

    tokens: torch.Tensor
    reference: dict[str, Any]
    seed: int
    generator: torch.Generator


class Vocoder:
    """Speaks with one loaded model's S3Gen, over weights of its own for most of the work.

    `exact` differs from the library in the order of sums in float32; `fast` has the flow's transformers in bfloat16.
    """

    def __init__(self, model: Any, precision: Precision) -> None:
        self._model, self._s3gen = model, model.s3gen
        with torch.inference_mode():
            self._flow = Flow(model.s3gen, precision)
            self._upsampling = Upsampling(model.s3gen.mel2wav) if model.s3gen.device.type == "cpu" else None

    @torch.inference_mode()
    def render(self, chunks: Sequence[Speech], *, steps: int | None, should_stop: Callable[[], bool]) -> list[Samples]:
        """Of each chunk, mono samples, shape [n], 24 kHz, float32, without a watermark.

        `steps` of the flow, or None for the library's number. The chunks go through the flow in one batch, which is
        nearly all of the work. Raises Stopped between two of its steps, and between two chunks.
        """
        noises = [_Noise(chunk.generator, chunk.seed) for chunk in chunks]
        starts = []
        for chunk, noise in zip(chunks, noises, strict=True):
            if should_stop():
                raise Stopped
            with noise.drawn():
                starts.append(self._flow.begin(self._whole(chunk.tokens), chunk.reference))
        mels = self._flow.mels(starts, steps=steps, should_stop=should_stop)
        spoken = []
        for mel, noise in zip(mels, noises, strict=True):
            if should_stop():
                raise Stopped
            with noise.drawn():
                spoken.append(self._sound(mel))
        return spoken

    def _whole(self, tokens: torch.Tensor) -> torch.Tensor:
        return torch.cat([tokens, tokens.new_tensor(_TURBO_SILENCE)]) if self._s3gen.meanflow else tokens

    def _sound(self, mel: torch.Tensor) -> Samples:
        with self._upsampling.lent() if self._upsampling else nullcontext():
            wav, _ = self._s3gen.hift_inference(mel, None)
        # The library's remedy for what spills over from the reference.
        fade = self._s3gen.trim_fade
        wav[:, : len(fade)] *= fade
        samples: Samples = wav.squeeze(0).cpu().numpy()
        return samples

    @torch.inference_mode()
    def mark(self, samples: Samples) -> Samples:
        """The samples with the library's watermark, which the processor computes whatever the device is."""
        marked = self._model.watermarker.apply_watermark(samples, sample_rate=self._model.sr)
        return np.asarray(marked, dtype=np.float32)


class _Noise:
    """Torch's global generators, lent to what draws the noise of one chunk, and going on from one loan to the next."""

    def __init__(self, generator: torch.Generator, seed: int) -> None:
        """`generator` itself stays where it is."""
        self._device = generator.device
        self._processors = torch.Generator().manual_seed(seed).get_state()
        self._own = generator.get_state()

    @contextmanager
    def drawn(self) -> Iterator[None]:
        cuda = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            torch.set_rng_state(self._processors)
            _set_state(self._device, self._own)
            yield
            self._own, self._processors = _get_state(self._device), torch.get_rng_state()


def _set_state(device: torch.device, state: torch.Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state)
    else:
        torch.set_rng_state(state)


def _get_state(device: torch.device) -> torch.Tensor:
    if device.type == "cuda":
        return torch.cuda.get_rng_state(device)
    return torch.mps.get_rng_state() if device.type == "mps" else torch.get_rng_state()
