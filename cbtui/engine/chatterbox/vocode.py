"""From speech tokens to watermarked samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.decode import Stopped

# `S3GEN_SIL`, three of which `ChatterboxTurboTTS.generate` appends, and its number of flow steps.
_TURBO_SILENCE = 4299
_TURBO_STEPS = 2


class Vocoder:
    """Speaks with one loaded model's S3Gen."""

    def __init__(self, model: Any, precision: Precision) -> None:
        self._model = model

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
        """Mono samples, shape [n], 24 kHz, float32. `speech`: shape [n], tokens below 6561. Raises Stopped in a step.

        S3Gen draws its noise from torch's global generator; it continues `generator` here, as it would after the
        library's own decoding, so that the samples equal the library's for the same seed.
        """
        model = self._model
        meanflow = model.s3gen.meanflow
        if meanflow:
            speech = torch.cat([speech, torch.full((3,), _TURBO_SILENCE, dtype=speech.dtype, device=speech.device)])
        with _drawing_from(generator, seed), _stopping(model.s3gen.flow.decoder.estimator, should_stop):
            wav, _ = model.s3gen.inference(
                speech_tokens=speech,
                ref_dict=reference,
                n_cfm_timesteps=steps or (_TURBO_STEPS if meanflow else None),
            )
            samples = wav.squeeze(0).cpu().numpy()
            return np.asarray(model.watermarker.apply_watermark(samples, sample_rate=model.sr), dtype=np.float32)


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


@contextmanager
def _stopping(estimator: torch.nn.Module, should_stop: Callable[[], bool]) -> Iterator[None]:
    """Ask before each step of the flow, which is nearly all of the vocoder's time.

    The library calls the estimator's `forward` by name, so a hook would not be asked.
    """
    forward = estimator.forward

    def ask_first(*arguments: Any, **options: Any) -> Any:
        if should_stop():
            raise Stopped
        return forward(*arguments, **options)

    estimator.forward = ask_first
    try:
        yield
    finally:
        del estimator.forward
