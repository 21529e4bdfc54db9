"""The transposed convolutions of S3Gen's vocoder, HiFT-GAN, as products whose parts are added where they overlap.

On the CPU oneDNN takes 0.6 s for them at the first chunk of each length, of 5 to 7 s for the whole chunk, and hardly
any two chunks are of one length (measured with torch 2.6, two cores).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional


class TransposedConvolution(torch.nn.Module):
    """What a `ConvTranspose1d` gives, over its weights; differs in the order of sums. To be made in inference mode."""

    def __init__(self, module: torch.nn.ConvTranspose1d) -> None:
        super().__init__()
        if module.groups != 1 or module.dilation != (1,) or module.output_padding != (0,):
            raise ValueError("an upsampling of another kind than the released models have")
        (self._taps,), (self._stride,) = module.kernel_size, module.stride
        (self._cut,) = module.padding if isinstance(module.padding, tuple) else (0,)
        self._columns = module.weight.detach().flatten(1).T.contiguous()
        self._bias = None if module.bias is None else module.bias.detach()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shape [1, in, n] to [1, out, (n - 1) * stride + taps - 2 * padding]."""
        length = (x.size(2) - 1) * self._stride + self._taps
        parts = torch.mm(self._columns, x[0])
        whole = functional.fold(parts[None], (1, length), (1, self._taps), stride=(1, self._stride))
        cut = whole[:, :, 0, self._cut : length - self._cut]
        return cut if self._bias is None else cut + self._bias[:, None]


class Upsampling:
    """Lends one vocoder ours in place of its own upsamplings, for as long as it speaks."""

    def __init__(self, hift: Any) -> None:
        self._hift = hift
        self._ours = torch.nn.ModuleList([TransposedConvolution(module) for module in hift.ups])

    @contextmanager
    def lent(self) -> Iterator[None]:
        before = self._hift.ups
        self._hift.ups = self._ours
        try:
            yield
        finally:
            self._hift.ups = before
