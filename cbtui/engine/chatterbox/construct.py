"""Building the library's modules without filling them with random numbers that the checkpoint then overwrites."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_patching = threading.RLock()

_FILLERS = (
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
)


@contextmanager
def parameters_on_meta() -> Iterator[None]:
    """In this thread, each parameter becomes a `meta` tensor as it is registered; buffers stay real.

    Initialising a meta tensor costs nothing. Every parameter must be assigned afterwards.
    """
    with _patching:
        owner = threading.get_ident()
        register = nn.Module.register_parameter

        def register_on_meta(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
            register(self, name, param)
            if param is not None and threading.get_ident() == owner and not param.is_meta:
                self._parameters[name] = nn.Parameter(param.to("meta"), requires_grad=param.requires_grad)

        nn.Module.register_parameter = register_on_meta  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Module.register_parameter = register  # type: ignore[method-assign]


@contextmanager
def unfilled_parameters() -> Iterator[None]:
    """In this thread, `torch.nn.init` leaves tensors as they are: for constructors that write into their weights."""
    with _patching:
        owner = threading.get_ident()
        originals = {name: getattr(nn.init, name) for name in _FILLERS}

        def leave(name: str) -> Any:
            def fill(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
                if threading.get_ident() == owner:
                    return tensor
                filled: torch.Tensor = originals[name](tensor, *args, **kwargs)
                return filled

            return fill

        for name in _FILLERS:
            setattr(nn.init, name, leave(name))
        try:
            yield
        finally:
            for name, original in originals.items():
                setattr(nn.init, name, original)
