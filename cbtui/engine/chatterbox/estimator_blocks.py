"""The layers that the flow's estimator is made of, over the library's weights.

Frames stand in rows of channels, [rows, n, channels]: the library has channels first around its convolutions and turns
everything round between them and the transformers. What the blocks hand on is float32 whatever their products are in.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from cbtui.engine.chatterbox.full_attention import Padding, attend_to_all
from cbtui.engine.chatterbox.products import Product

# From here on mish is the identity in float32, and the square of the exponential is finite still.
_MISH_IS_LINEAR = 20.0


class Norm:
    """`LayerNorm` over the channels, in float32."""

    def __init__(self, module: Any) -> None:
        self._weight, self._bias, self._eps = module.weight.detach(), module.bias.detach(), module.eps

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, (x.size(-1),), self._weight, self._bias, self._eps)


class CausalConvolution:
    """`CausalConv1d`: each frame from itself and those before it, as a product of rows that hold all of these."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        """`weight` has shape [out, in, taps]."""
        self._taps = weight.size(2)
        self._product = Product(weight.transpose(1, 2).flatten(1), bias, dtype=torch.float32)

    @classmethod
    def of(cls, module: Any) -> CausalConvolution:
        return cls(module.weight, module.bias)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Shape [rows, n, in] to [rows, n, out]."""
        if self._taps == 1:
            return self._product(x)
        rows, n, channels = x.shape
        padded = functional.pad(x, (0, 0, self._taps - 1, 0)).contiguous()
        windows = padded.as_strided((rows, n, self._taps * channels), (padded.stride(0), channels, 1))
        return self._product(windows)


class CausalBlock:
    """`CausalBlock1D`: convolution, norm and mish."""

    def __init__(self, module: Any) -> None:
        self._convolve = CausalConvolution.of(module.block[0])
        self._finish = NormedMish(module.block[2])

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self._finish(self._convolve(x))


class NormedMish:
    def __init__(self, norm: Any) -> None:
        self._norm = Norm(norm)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return mish(self._norm(x))


def mish(x: torch.Tensor) -> torch.Tensor:
    """`x * tanh(log(1 + exp(x)))` in float32, with one exponential: on the CPU torch's own takes four times as long."""
    if x.device.type != "cpu":
        return functional.mish(x)
    grown = x.clamp(max=_MISH_IS_LINEAR).exp_()
    grown = torch.addcmul(grown * 2, grown, grown)
    return grown.div_(grown + 2).mul_(x)


class Resnet:
    """`CausalResnetBlock1D`, given what the time adds to it."""

    def __init__(self, module: Any) -> None:
        self._first, self._second = CausalBlock(module.block1), CausalBlock(module.block2)
        self._around = CausalConvolution.of(module.res_conv)

    def __call__(self, x: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        """`shift`: shape [channels]."""
        return self._second(self._first(x).add_(shift)).add_(self._around(x))


class TransformerBlock:
    """`BasicTransformerBlock` as the estimator has it: attention to all frames, and a feed-forward with gelu."""

    def __init__(self, module: Any, dtype: torch.dtype) -> None:
        attention, (grow, _, shrink) = module.attn1, module.ff.net
        self._heads = attention.heads
        self._attention_norm, self._feed_norm = Norm(module.norm1), Norm(module.norm3)
        queries = attention.to_q.weight * attention.scale
        self._qkv = Product(torch.cat([queries, attention.to_k.weight, attention.to_v.weight]), dtype=dtype)
        self._output = Product(attention.to_out[0].weight, attention.to_out[0].bias, dtype=dtype)
        self._grow = Product(grow.proj.weight, grow.proj.bias, dtype=dtype)
        self._shrink = Product(shrink.weight, shrink.bias, dtype=dtype)

    def __call__(self, x: torch.Tensor, padding: Padding | None) -> torch.Tensor:
        """Writes over `x`, shape [rows, n, channels], and gives it back."""
        dtype = self._qkv.dtype
        mixed = attend_to_all(self._qkv(self._attention_norm(x).to(dtype)), self._heads, padding)
        x += self._output(mixed)
        x += self._shrink(self._grow(self._feed_norm(x).to(dtype), "gelu"))
        return x
