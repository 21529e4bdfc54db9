"""From speech tokens to a mel spectrogram, in the voice of a reference: S3Gen's flow, over the library's weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.conformer import Conformer
from cbtui.engine.chatterbox.decode import Stopped
from cbtui.engine.chatterbox.estimator import Conditions, Estimator
from cbtui.engine.chatterbox.left_in_file import lent_by

# `S3Token2Wav.flow_inference`: a distilled flow needs two steps.
_STEPS = 10
_DISTILLED_STEPS = 2


class Flow:
    """What `CausalMaskedDiffWithXvec.inference` computes for one chunk. To be made and used in inference mode."""

    def __init__(self, s3gen: Any, precision: Precision) -> None:
        self._flow, self._solver = s3gen.flow, s3gen.flow.decoder
        self._distilled: bool = s3gen.meanflow
        self._device: torch.device = s3gen.device
        with lent_by(s3gen, "flow.encoder."):
            self._encoder = Conformer(s3gen.flow.encoder)
        with lent_by(s3gen, "flow.decoder."):
            self._estimator = Estimator(self._solver.estimator, precision)

    def mel(
        self,
        speech: torch.Tensor,
        reference: dict[str, Any],
        *,
        steps: int | None,
        should_stop: Callable[[], bool],
    ) -> torch.Tensor:
        """Shape [n], tokens below 6561, to [1, 80, 2 n], float32. Raises Stopped between two steps.

        `reference` as `S3Gen.embed_ref` gives it for one clip; ValueError if it is padded. The noise comes from
        torch's global generator, drawn as the library draws it: what it was drawn for decides the samples.
        """
        shape = (1, self._flow.output_size, self._flow.token_mel_ratio * speech.size(-1))
        # The library draws it twice for a distilled flow, and keeps these for the new frames.
        distilled_noise = torch.randn(shape, device=self._device) if self._distilled else None
        mu = self._encode(speech, reference)
        noise = torch.randn((1, mu.size(2), mu.size(1)), device=self._device)
        if distilled_noise is not None:
            noise[..., noise.size(2) - distilled_noise.size(2) :] = distilled_noise
        known = reference["prompt_feat"].to(mu)
        times = self._times(steps)
        conditions = self._conditions(mu, self._speaker(reference), known, times)
        x = self._solve(noise[0].T.contiguous(), conditions, times, should_stop)
        return x[known.size(1) :].T[None].contiguous()

    def _encode(self, speech: torch.Tensor, reference: dict[str, Any]) -> torch.Tensor:
        """Reference and speech together, two frames for each token, shape [1, frames, 80]."""
        prompt = reference["prompt_token"].reshape(1, -1).to(self._device).long()
        if int(reference["prompt_token_len"]) != prompt.size(1):
            raise ValueError("the tokens of the reference are padded")
        tokens = torch.cat([prompt, speech.reshape(1, -1)], dim=1)
        mu: torch.Tensor = self._flow.encoder_proj(self._encoder(self._flow.input_embedding(tokens)))
        return mu

    def _speaker(self, reference: dict[str, Any]) -> torch.Tensor:
        """Shape [1, 80]. Too little work to keep from chunk to chunk."""
        embedding = reference["embedding"].reshape(1, -1).to(self._device, torch.float32)
        speaker: torch.Tensor = self._flow.spk_embed_affine_layer(functional.normalize(embedding, dim=1))
        return speaker

    def _conditions(
        self, mu: torch.Tensor, speaker: torch.Tensor, known: torch.Tensor, times: torch.Tensor
    ) -> Conditions:
        """`known`: the reference's frames, shape [1, fewer frames than `mu`, 80]."""
        cond = functional.pad(known, (0, 0, 0, mu.size(1) - known.size(1)))
        if not self._distilled:  # with and without them, for the guidance
            mu, speaker, cond = (torch.cat([given, torch.zeros_like(given)]) for given in (mu, speaker, cond))
        return self._estimator.condition(mu, speaker, cond, times)

    def _solve(
        self, x: torch.Tensor, conditions: Conditions, times: torch.Tensor, should_stop: Callable[[], bool]
    ) -> torch.Tensor:
        """Follow the flow from noise, shape [frames, 80], by Euler's method."""
        for step, duration in enumerate(times.diff()):
            if should_stop():
                raise Stopped
            x = x + duration * self._guided(self._estimator.direction(x, conditions, step))
        return x

    def _times(self, steps: int | None) -> torch.Tensor:
        """The borders of the steps, shape [steps + 1], from 0 to 1."""
        count = steps or (_DISTILLED_STEPS if self._distilled else _STEPS)
        times = torch.linspace(0, 1, count + 1, device=self._device)
        if self._distilled or self._solver.t_scheduler != "cosine":
            return times
        curved: torch.Tensor = 1 - torch.cos(times * 0.5 * torch.pi)
        return curved

    def _guided(self, directions: torch.Tensor) -> torch.Tensor:
        """Classifier-free guidance, from the rows with and without conditions; a distilled flow has it built in."""
        if self._distilled:
            return directions[0]
        rate: float = self._solver.inference_cfg_rate
        return (1.0 + rate) * directions[0] - rate * directions[1]
