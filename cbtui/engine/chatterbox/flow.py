"""From speech tokens to a mel spectrogram, in the voice of a reference: S3Gen's flow, over the library's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.conformer import Conformer
from cbtui.engine.chatterbox.decode import Stopped
from cbtui.engine.chatterbox.estimator import Conditions, Estimator
from cbtui.engine.chatterbox.left_in_file import lent_by

# `S3Token2Wav.flow_inference`: a distilled flow needs two steps.
_STEPS = 10
_DISTILLED_STEPS = 2


@dataclass(frozen=True, slots=True)
class Start:
    """Where the flow of one chunk begins: frames of the reference, then those of the speech.

    `noise` and `mu` of shape [frames, 80], `speaker` [80], `known` [frames of the reference, 80].
    """

    noise: torch.Tensor
    mu: torch.Tensor
    speaker: torch.Tensor
    known: torch.Tensor

    @property
    def frames(self) -> int:
        return self.mu.size(0)


class Flow:
    """What `CausalMaskedDiffWithXvec.inference` computes, for several chunks at once. To be made and used in inference
    mode.
    """

    def __init__(self, s3gen: Any, precision: Precision) -> None:
        self._flow, self._solver = s3gen.flow, s3gen.flow.decoder
        self._distilled: bool = s3gen.meanflow
        self._device: torch.device = s3gen.device
        with lent_by(s3gen, "flow.encoder."):
            self._encoder = Conformer(s3gen.flow.encoder)
        with lent_by(s3gen, "flow.decoder."):
            self._estimator = Estimator(self._solver.estimator, precision)

    def begin(self, speech: torch.Tensor, reference: dict[str, Any]) -> Start:
        """Encode `speech`, shape [n], tokens below 6561, and draw the noise for it.

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
        return Start(
            noise[0].T.contiguous(), mu[0], self._speaker(reference), reference["prompt_feat"].to(mu).squeeze(0)
        )

    def mels(
        self, starts: Sequence[Start], *, steps: int | None, should_stop: Callable[[], bool]
    ) -> list[torch.Tensor]:
        """Of each chunk, shape [1, 80, 2 n], float32. Raises Stopped between two steps."""
        times = self._times(steps)
        noise = _together([start.noise for start in starts])
        x = self._solve(noise, self._conditions(starts, times), times, should_stop)
        spoken = (row[start.known.size(0) : start.frames] for row, start in zip(x, starts, strict=True))
        return [frames.T[None].contiguous() for frames in spoken]

    def _encode(self, speech: torch.Tensor, reference: dict[str, Any]) -> torch.Tensor:
        """Reference and speech together, two frames for each token, shape [1, frames, 80]."""
        prompt = reference["prompt_token"].reshape(1, -1).to(self._device).long()
        if int(reference["prompt_token_len"]) != prompt.size(1):
            raise ValueError("the tokens of the reference are padded")
        tokens = torch.cat([prompt, speech.reshape(1, -1)], dim=1)
        mu: torch.Tensor = self._flow.encoder_proj(self._encoder(self._flow.input_embedding(tokens)))
        return mu

    def _speaker(self, reference: dict[str, Any]) -> torch.Tensor:
        """Shape [80]. Too little work to keep from chunk to chunk."""
        embedding = reference["embedding"].reshape(1, -1).to(self._device, torch.float32)
        speaker: torch.Tensor = self._flow.spk_embed_affine_layer(functional.normalize(embedding, dim=1))
        return speaker[0]

    def _conditions(self, starts: Sequence[Start], times: torch.Tensor) -> Conditions:
        given = (
            _together([start.mu for start in starts]),
            torch.stack([start.speaker for start in starts]),
            _together([functional.pad(each.known, (0, 0, 0, each.frames - each.known.size(0))) for each in starts]),
        )
        # With and without them, for the guidance.
        mu, speaker, cond = (
            each[None] if self._distilled else torch.stack([each, torch.zeros_like(each)]) for each in given
        )
        return self._estimator.condition(mu, speaker, cond, times, lengths=[start.frames for start in starts])

    def _solve(
        self, x: torch.Tensor, conditions: Conditions, times: torch.Tensor, should_stop: Callable[[], bool]
    ) -> torch.Tensor:
        """Follow the flow from noise, shape [chunks, frames, 80], by Euler's method."""
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
        """Classifier-free guidance, from the sides with and without conditions; a distilled flow has it built in."""
        if self._distilled:
            return directions[0]
        rate: float = self._solver.inference_cfg_rate
        return (1.0 + rate) * directions[0] - rate * directions[1]


def _together(chunks: Sequence[torch.Tensor]) -> torch.Tensor:
    """Shape [frames, channels] each to [chunks, most frames, channels]."""
    return pad_sequence(list(chunks), batch_first=True)
