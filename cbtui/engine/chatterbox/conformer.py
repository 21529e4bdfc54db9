"""The encoder of S3Gen, from embedded speech tokens to what the flow starts from, over the library's weights.

What `UpsampleConformerEncoder` computes for a chunk that is not padded: layers over the tokens, then, each token being
two frames, layers over the frames. Float32 in every precision: it runs once a chunk.
"""

from __future__ import annotations

from typing import Any

import torch

from cbtui.engine.chatterbox.estimator_blocks import Norm
from cbtui.engine.chatterbox.full_attention import attend_to_all_with_bias, products_of_heads
from cbtui.engine.chatterbox.products import Product


class Conformer:
    """Shape [1, tokens, 512] to [1, 2 tokens, 512]. To be made and used in inference mode."""

    def __init__(self, encoder: Any) -> None:
        self._embed, self._embed_frames = _Embedding(encoder.embed), _Embedding(encoder.up_embed)
        self._look_ahead, self._repeat = encoder.pre_lookahead_layer, encoder.up_layer
        self._layers = [_Layer(layer) for layer in encoder.encoders]
        self._frame_layers = [_Layer(layer) for layer in encoder.up_encoders]
        self._norm = Norm(encoder.after_norm)

    def __call__(self, tokens: torch.Tensor) -> torch.Tensor:
        x, positions = self._embed(tokens)
        x = self._look_ahead(x)
        for layer in self._layers:
            x = layer(x, positions)
        # The lengths, which the library doubles, are of no use here.
        repeated, _ = self._repeat(x.mT, 0)
        x, positions = self._embed_frames(repeated.mT)
        for layer in self._frame_layers:
            x = layer(x, positions)
        return self._norm(x)


class _Embedding:
    """`LinearNoSubsampling`, with the encoding of the distances from n - 1 down to 1 - n."""

    def __init__(self, module: Any) -> None:
        linear, norm, _ = module.out
        self._linear, self._norm = Product(linear.weight, linear.bias, dtype=torch.float32), Norm(norm)
        self._encode = module.pos_enc

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Shape [1, n, in] to [1, n, out] and [1, 2 n - 1, out]."""
        scaled, positions = self._encode(self._norm(self._linear(x)))
        return scaled, positions


class _Layer:
    """`ConformerEncoderLayer` as S3Gen has it, without convolution: attention with relative positions, feed-forward."""

    def __init__(self, module: Any) -> None:
        attention, feed = module.self_attn, module.feed_forward
        if module.conv_module is not None or module.feed_forward_macaron is not None or not module.normalize_before:
            raise ValueError("an encoder of another architecture than the released models have")
        self._attention_norm, self._feed_norm = Norm(module.norm_mha), Norm(module.norm_ff)
        self._heads, self._size = attention.h, attention.d_k
        # The root of 64 divides without rounding, so the queries carry the scale of the scores.
        scale = self._size**-0.5
        parts = (attention.linear_q, attention.linear_k, attention.linear_v)
        scales = (scale, 1.0, 1.0)
        self._qkv = Product(
            torch.cat([part.weight * by for part, by in zip(parts, scales, strict=True)]),
            torch.cat([part.bias * by for part, by in zip(parts, scales, strict=True)]),
            dtype=torch.float32,
        )
        self._positions = Product(attention.linear_pos.weight, dtype=torch.float32)
        self._content_bias = (attention.pos_bias_u * scale)[:, None]
        self._position_bias = (attention.pos_bias_v * scale)[:, None]
        self._output = Product(attention.linear_out.weight, attention.linear_out.bias, dtype=torch.float32)
        self._grow = Product(feed.w_1.weight, feed.w_1.bias, dtype=torch.float32)
        self._shrink = Product(feed.w_2.weight, feed.w_2.bias, dtype=torch.float32)

    def __call__(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        x = x + self._output(self._attend(self._attention_norm(x), positions))
        return x.add_(self._shrink(self._grow(self._feed_norm(x), "swish")))

    def _attend(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Attention as in Transformer-XL (Dai et al., 2019): scores from contents and from the distance."""
        n = x.size(1)
        queries, keys, values = self._qkv(x[0]).view(n, 3, self._heads, self._size).permute(1, 2, 0, 3)
        distances = self._positions(positions[0]).view(-1, self._heads, self._size).transpose(0, 1)
        by_distance = products_of_heads(queries + self._position_bias, distances)
        # Row i begins with the distance n - 1; its own position, the distance 0, is to stand in column i.
        aligned = by_distance.as_strided((self._heads, n, n), (n * (2 * n - 1), 2 * n - 2, 1), n - 1)
        return attend_to_all_with_bias(queries + self._content_bias, keys, values, aligned)[None]
