"""The estimator of S3Gen's flow, nearly all of the time from speech tokens to sound, over the library's weights.

What `ConditionalDecoder.forward` computes, without what its results do not need: no turning round of channels and
frames, nothing twice that stays the same from step to step, and of masks only the attention's, where chunks of several
lengths are in one batch. All other layers see a frame and those before it, so what lies behind the end of a chunk
changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from cbtui.core.task import Precision
from cbtui.engine.chatterbox.estimator_blocks import (
    CausalBlock,
    CausalConvolution,
    NormedMish,
    Resnet,
    TransformerBlock,
)
from cbtui.engine.chatterbox.full_attention import Padding
from cbtui.engine.chatterbox.products import product_dtype


@dataclass(frozen=True, slots=True)
class Conditions:
    """What steers the flow of some chunks, the same in all of its steps; made by `Estimator.condition`."""

    # What both convolutions of the first resnet get from them, shape [sides, chunks, n, channels].
    convolved: torch.Tensor
    around: torch.Tensor
    padding: Padding | None
    # For each step [resnets, channels]: what the time adds in the middle of each resnet.
    shifts: Sequence[torch.Tensor]


class Estimator:
    """The direction of the flow. It keeps weights of its own, packed; to be made and used in inference mode."""

    def __init__(self, decoder: Any, precision: Precision) -> None:
        if not decoder.causal or decoder.static_chunk_size or len(decoder.down_blocks) != 1:
            raise ValueError("an estimator of another architecture than the released models have")
        # Of the transformers. Measured: convolutions in it too gain 6 % of the time, for 2.5 times the difference.
        self._dtype = dtype = product_dtype(precision)
        [(first, first_blocks, down)], [(last, last_blocks, up)] = decoder.down_blocks, decoder.up_blocks
        resnets = [first, *(resnet for resnet, _ in decoder.mid_blocks), last]
        self._time = _Time(decoder, resnets)
        self._first = _FirstResnet(first, decoder.out_channels)
        self._first_blocks = _blocks(first_blocks, dtype)
        self._down = CausalConvolution.of(down)
        self._middle = [(Resnet(resnet), _blocks(blocks, dtype)) for resnet, blocks in decoder.mid_blocks]
        self._last = Resnet(last)
        self._last_blocks = _blocks(last_blocks, dtype)
        self._up = CausalConvolution.of(up)
        self._final = CausalBlock(decoder.final_block)
        self._project = CausalConvolution.of(decoder.final_proj)

    def condition(
        self,
        mu: torch.Tensor,
        speaker: torch.Tensor,
        cond: torch.Tensor,
        times: torch.Tensor,
        *,
        lengths: Sequence[int] | None = None,
    ) -> Conditions:
        """Bind to chunks: `mu` and `cond` of shape [sides, chunks, n, 80] for n frames of 20 ms, `speaker` without n.

        The sides are those of the guidance, with conditions and without, or one. `times` has shape [steps + 1], the
        borders of the steps from 0 to 1. `lengths`: of the chunks, in frames, where they are not all n.
        """
        sides, chunks, n, _ = mu.shape
        every_frame = speaker[:, :, None].expand(-1, -1, n, -1)
        rest = torch.cat([mu, every_frame, cond], dim=-1).flatten(0, 1)
        convolved, around = (each.view(sides, chunks, n, -1) for each in self._first.constant_part(rest))
        padding = Padding.of([*(lengths or [n])] * sides, dtype=self._dtype, device=mu.device)
        return Conditions(convolved, around, padding, self._time.shifts(times))

    def direction(self, x: torch.Tensor, conditions: Conditions, step: int) -> torch.Tensor:
        """For `x` of shape [chunks, n, 80], where they stand, the directions, [sides, chunks, n, 80], float32."""
        shifts, padding = conditions.shifts[step], conditions.padding
        hidden = _through(self._first_blocks, self._first(x, conditions, shifts[0]), padding)
        skipped = hidden
        hidden = self._down(hidden)
        for (resnet, blocks), shift in zip(self._middle, shifts[1:-1], strict=True):
            hidden = _through(blocks, resnet(hidden, shift), padding)
        hidden = self._last(torch.cat([hidden, skipped], dim=-1), shifts[-1])
        hidden = self._up(_through(self._last_blocks, hidden, padding))
        return self._project(self._final(hidden)).view(-1, *x.shape)


def _blocks(modules: Any, dtype: torch.dtype) -> list[TransformerBlock]:
    return [TransformerBlock(module, dtype) for module in modules]


def _through(blocks: Sequence[TransformerBlock], hidden: torch.Tensor, padding: Padding | None) -> torch.Tensor:
    for block in blocks:
        hidden = block(hidden, padding)
    return hidden


class _Time:
    """From the borders of the steps to what they add in the resnets: the library's own layers, once a batch."""

    def __init__(self, decoder: Any, resnets: Sequence[Any]) -> None:
        self._embed, self._mlp = decoder.time_embeddings, decoder.time_mlp
        self._mix_ends = decoder.time_embed_mixer if decoder.meanflow else None
        self._to_shift = [resnet.mlp[1] for resnet in resnets]

    def shifts(self, times: torch.Tensor) -> Sequence[torch.Tensor]:
        embedded = self._mlp(self._embed(times))
        starts, ends = embedded[:-1], embedded[1:]
        if self._mix_ends is not None:
            starts = self._mix_ends(torch.cat([starts, ends], dim=1))
        activated = functional.mish(starts)
        return torch.stack([layer(activated) for layer in self._to_shift], dim=1).unbind(0)


class _FirstResnet:
    """`CausalResnetBlock1D` for input of which only `x`, the first channels, differs from step to step.

    `x` is the same on both sides of the guidance, and the rest of the channels is not.
    """

    def __init__(self, module: Any, channels: int) -> None:
        """`channels`: of `x`."""
        convolution, around = module.block1.block[0], module.res_conv
        self._convolve = CausalConvolution(convolution.weight[:, :channels], None)
        self._convolve_rest = CausalConvolution(convolution.weight[:, channels:], convolution.bias)
        self._around = CausalConvolution(around.weight[:, :channels], None)
        self._around_rest = CausalConvolution(around.weight[:, channels:], around.bias)
        self._finish_first = NormedMish(module.block1.block[2])
        self._second = CausalBlock(module.block2)

    def constant_part(self, rest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the rest, shape [rows, n, 240], adds to both convolutions."""
        return self._convolve_rest(rest), self._around_rest(rest)

    def __call__(self, x: torch.Tensor, conditions: Conditions, shift: torch.Tensor) -> torch.Tensor:
        """Shape [chunks, n, 80] to [sides * chunks, n, channels]."""
        convolved = self._finish_first(conditions.convolved + self._convolve(x))
        hidden = self._second(convolved.add_(shift).flatten(0, 1))
        hidden.view(conditions.around.shape).add_(conditions.around).add_(self._around(x))
        return hidden
