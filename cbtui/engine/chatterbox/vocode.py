"""From speech tokens to samples, and to watermarked ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.flow import Flow

# What `ChatterboxTurboTTS.generate` appends: `S3GEN_SIL`, thrice.
_TURBO_SILENCE = (4299,) * 3


class Vocoder:
    """Speaks with one loaded model's S3Gen, one chunk at a time, over weights of its own for most of the work.

    `exact` differs from the library in the order of sums in float32; `fast` has the flow's transformers in bfloat16.
    """

    def __init__(self, model: Any, precision: Precision) -> None:
        self._model, self._s3gen = model, model.s3gen
        with torch.inference_mode():
            self._flow = Flow(model.s3gen, precision)

    @torch.inference_mode()
    def render(
        self,
        speech: torch.Tensor,
        reference: dict[str, Any],
        *,
        seed: int,
        generator: torch.Generator,
        steps: int | None,
        should_stop: Callable[[], bool],
    ) -> npt.NDArray[np.float32]:
        """Mono samples, shape [n], 24 kHz, float32, without a watermark. `speech`: shape [n], tokens below 6561.

        `reference` as `S3Gen.embed_ref` gives it; `steps` of the flow, or None for the library's number. S3Gen draws
        its noise from torch's global generator; it continues `generator` here, as it would after the library's own
        decoding, so that the samples are the library's for the same seed. Raises Stopped in a step.
        """
        if self._s3gen.meanflow:
            speech = torch.cat([speech, speech.new_tensor(_TURBO_SILENCE)])
        with _drawing_from(generator, seed):
            mel = self._flow.mel(speech, reference, steps=steps, should_stop=should_stop)
            wav, _ = self._s3gen.hift_inference(mel, None)
        # The library's remedy for what spills over from the reference.
        fade = self._s3gen.trim_fade
        wav[:, : len(fade)] *= fade
        samples: npt.NDArray[np.float32] = wav.squeeze(0).cpu().numpy()
        return samples

    @torch.inference_mode()
    def mark(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The samples with the library's watermark, which the processor computes whatever the device is."""
        marked = self._model.watermarker.apply_watermark(samples, sample_rate=self._model.sr)
        return np.asarray(marked, dtype=np.float32)


@contextmanager
def _drawing_from(generator: torch.Generator, seed: int) -> Iterator[None]:
    """Lend torch's global generators to one call: seeded, the device's own going on where `generator` stands."""
    device = generator.device
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.set_rng_state(generator.get_state(), device)
        elif device.type == "mps":
            torch.mps.set_rng_state(generator.get_state())
        else:
            torch.set_rng_state(generator.get_state())
        yield
