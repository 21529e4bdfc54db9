"""Matrix products with a fixed weight, the greatest part of all that the model computes.

On the CPU, MKL's product reads a plain weight at a quarter of the memory's speed when there are few rows, as in
decoding. oneDNN's, on a weight that was reordered once, reads at full speed, and gives each row the same bits however
many rows there are.
"""

from __future__ import annotations

import functools
import logging
from typing import Literal

import torch
from torch.nn import functional

from cbtui.core.task import Precision

log = logging.getLogger("cbtui.products")

# What `fast` computes in: half the bytes to read. Measured on the full transformer: logits 2.3e-2 relative, KL 1.8e-4.
_FAST_DTYPE = torch.bfloat16

# How many rows the layout is tuned for. Measured: from 1 to 64 it makes no difference to any number of rows.
_ROWS_HINT = 2


class Product:
    """`x @ weight.T + bias` for one weight of shape [out, in], which it keeps in the form that is fastest to read.

    `dtype` is the weight's, in which `x` is wanted and the result given.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None, *, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._bias = None if bias is None else bias.detach().to(dtype)
        wanted = weight.detach().to(dtype)
        self._packed = can_pack(wanted.device.type, dtype)
        # A weight of another dtype was copied by the conversion; a plain one stays where it is.
        self._weight = (
            torch.ops.mkldnn._reorder_linear_weight(wanted.contiguous(), _ROWS_HINT) if self._packed else wanted
        )

    def __call__(self, x: torch.Tensor, activation: Literal["none", "gelu", "swish"] = "none") -> torch.Tensor:
        """Shape [..., in] to [..., out], with the activation (`gelu` is the exact one) in the same pass over memory."""
        if self._packed:
            result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
                x, self._weight, self._bias, activation, [], "none" if activation == "gelu" else ""
            )
            return result
        plain = functional.linear(x, self._weight, self._bias)
        if activation == "none":
            return plain
        return functional.gelu(plain) if activation == "gelu" else functional.silu(plain)

    @property
    def bytes(self) -> int:
        return self._weight.numel() * self.dtype.itemsize


def product_dtype(precision: Precision) -> torch.dtype:
    return _FAST_DTYPE if precision == "fast" else torch.float32


def _pack(weight: torch.Tensor) -> torch.Tensor:
    packed: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), _ROWS_HINT)
    return packed


@functools.cache
def can_pack(device: str, dtype: torch.dtype) -> bool:
    """Whether oneDNN's operators, which torch has for its own compiler, do here what they are used for."""
    if device != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    weight, x = torch.ones(4, 8, dtype=dtype), torch.ones(2, 8, dtype=dtype)
    try:
        result = torch.ops.mkldnn._linear_pointwise(x, _pack(weight), None, "none", [], "")
    except (AttributeError, RuntimeError) as error:
        log.warning(
            "packed products are not to be had with torch %s, plain ones are used: %s", torch.__version__, error
        )
        return False
    return bool((result == 8).all())
