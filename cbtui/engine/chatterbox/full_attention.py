"""Attention of all positions to all positions, as S3Gen has it: nothing is kept, and only padding is masked.

On the CPU torch's own kernel multiplies with MKL, at half of oneDNN's speed in float32 and a third in bfloat16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import scaled_dot_product_attention

from cbtui.engine.chatterbox.products import can_pack

# In elements, of two bytes or four.
_ALIGNED = 16


@dataclass(frozen=True, slots=True)
class Padding:
    """Rows of several lengths in one tensor. `mask`, added to the scores, is of shape [rows, 1, 1, n]."""

    lengths: tuple[int, ...]
    mask: torch.Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> Padding | None:
        """`dtype` is that of the queries; None where all rows are of one length."""
        longest = max(lengths)
        if min(lengths) == longest:
            return None
        # Rows that begin where CUDA's kernels want them to, which would copy the mask in every layer else.
        wide = -(-longest // _ALIGNED) * _ALIGNED
        behind = torch.arange(wide, device=device) >= torch.tensor(lengths, device=device)[:, None]
        mask = torch.zeros(len(lengths), 1, 1, wide, dtype=dtype, device=device)
        return cls(tuple(lengths), mask.masked_fill_(behind[:, None, None], -torch.inf)[..., :longest])


def attend_to_all(qkv: torch.Tensor, heads: int, padding: Padding | None = None) -> torch.Tensor:
    """Shape [rows, n, 3 * heads * size], the queries scaled already, to [rows, n, heads * size].

    What comes out where there is padding is finite and means nothing.
    """
    rows, n, _ = qkv.shape
    queries, keys, values = qkv.view(rows, n, 3, heads, -1).permute(2, 0, 3, 1, 4)
    if not _has_onednn(qkv):
        mixed = scaled_dot_product_attention(queries, keys, values, padding.mask if padding else None, scale=1.0)
        return mixed.transpose(1, 2).reshape(rows, n, -1)
    attend = _head_by_head if qkv.dtype == torch.float32 else _heads_together
    if padding is None:
        return torch.stack([attend(*row) for row in zip(queries, keys, values, strict=True)])
    attended = qkv.new_zeros(rows, n, qkv.size(2) // 3)
    for row, length in enumerate(padding.lengths):
        attended[row, :length] = attend(*(each[row, :, :length] for each in (queries, keys, values)))
    return attended


def attend_to_all_with_bias(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor
) -> torch.Tensor:
    """Shape [heads, n, size] of one row, float32, the queries scaled already, to [n, heads * size].

    `bias`, of shape [heads, n, n], is added to the scores.
    """
    if _has_onednn(queries):
        return _head_by_head(queries, keys, values, bias)
    mixed = scaled_dot_product_attention(queries[None], keys[None], values[None], bias[None].contiguous(), scale=1.0)
    return mixed[0].transpose(0, 1).flatten(1)


def products_of_heads(x: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """`x @ others.mT` for shapes [heads, n, size] and [heads, m, size], float32, in contiguous memory."""
    if not _has_onednn(x):
        return torch.bmm(x, others.mT)
    return torch.stack([_product(one, other) for one, other in zip(x, others.contiguous(), strict=True)])


def _has_onednn(x: torch.Tensor) -> bool:
    return can_pack(x.device.type, x.dtype)


def _product(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`x @ weight.T`. The weight has to be contiguous: oneDNN takes a thousand times as long for one that is not.

    Torch's own product of float32 matrices is oneDNN's only where less than full precision was asked for.
    """
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return result


def _head_by_head(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Of one row. One head's scores are still in the processor's cache when they are used."""
    heads, n, size = queries.shape
    mixed = queries.new_empty(n, heads, size)
    queries, keys, values = queries.contiguous(), keys.contiguous(), values.mT.contiguous()
    for head in range(heads):
        scores = _product(queries[head], keys[head])
        if bias is not None:
            scores += bias[head]
        mixed[:, head] = _product(torch.softmax(scores, -1), values[head])
    return mixed.view(n, -1)


def _heads_together(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Of one row. In bfloat16 torch's own batched product is oneDNN's, and faster than one for each head."""
    scores = torch.bmm(queries.contiguous(), keys.contiguous().mT)
    # In the same memory: getting more of it costs as much as the products.
    torch.softmax(scores, -1, out=scores)
    return torch.bmm(scores, values).transpose(0, 1).flatten(1)
