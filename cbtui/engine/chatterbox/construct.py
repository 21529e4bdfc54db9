"""Building the library's modules without filling them with random numbers that the checkpoint then overwrites."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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

    Every parameter must be assigned afterwards. Nothing is done with the values that they do not have: torch does that
    in Python, at 0.4 ms each (measured).
    """
    with _patching, _idle_on_meta():
        owner = threading.get_ident()
        register = nn.Module.register_parameter

        def register_on_meta(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
            register(self, name, param)
            if param is not None and threading.get_ident() == owner and not param.is_meta:
                self._parameters[name] = nn.Parameter(param.to("meta"), requires_grad=param.requires_grad)

        with _replaced(nn.Module, "register_parameter", register_on_meta):
            yield


@contextmanager
def unfilled_parameters() -> Iterator[None]:
    """In this thread, `torch.nn.init` leaves tensors as they are: for constructors that write into their weights."""
    with _patching, ExitStack() as stack:
        for name in _FILLERS:
            leave = _unless(getattr(nn.init, name), lambda tensor, *_, **__: True, lambda tensor, *_: tensor)
            stack.enter_context(_replaced(nn.init, name, leave))
        yield


@contextmanager
def positions_shared() -> Iterator[None]:
    """In this thread, S3Gen's encodings of the same positions are computed once: 20 MB each, never written to."""
    from chatterbox.models.s3gen.transformer.embedding import EspnetRelPositionalEncoding

    compute = EspnetRelPositionalEncoding.extend_pe
    computed: dict[tuple[int, int], torch.Tensor] = {}

    def is_new(encoding: Any, x: torch.Tensor) -> bool:
        return encoding.pe is None

    def look_up(encoding: Any, x: torch.Tensor) -> None:
        key = (encoding.d_model, x.size(1))
        if key in computed:
            encoding.pe = computed[key]
            return
        compute(encoding, x)
        computed[key] = encoding.pe

    with _patching, _replaced(EspnetRelPositionalEncoding, "extend_pe", _unless(compute, is_new, look_up)):
        yield


@contextmanager
def _idle_on_meta() -> Iterator[None]:
    """In this thread, filling a meta tensor or taking its norm does nothing."""
    # Whose, by what name, and what it gives for meta tensors: by these the library's constructors fill and norm.
    calls: list[tuple[Any, str, Callable[..., Any]]] = [
        (torch.Tensor, "normal_", lambda tensor, *_: tensor),
        (torch.Tensor, "uniform_", lambda tensor, *_: tensor),
        (torch, "norm_except_dim", lambda tensor, *_: tensor.new_empty((len(tensor), *(1 for _ in tensor.shape[1:])))),
        (torch, "_weight_norm", lambda tensor, *_: tensor),
    ]
    with ExitStack() as stack:
        for whose, name, result in calls:
            idle = _unless(getattr(whose, name), lambda tensor, *_, **__: tensor.is_meta, result)
            stack.enter_context(_replaced(whose, name, idle))
        yield


def _unless(
    original: Callable[..., Any], condition: Callable[..., bool], instead: Callable[..., Any]
) -> Callable[..., Any]:
    """`original`, but in this thread, under a condition on what it is given, something else `instead`."""
    owner = threading.get_ident()

    def call(*given: Any, **named: Any) -> Any:
        if threading.get_ident() == owner and condition(*given, **named):
            return instead(*given)
        return original(*given, **named)

    return call


@contextmanager
def _replaced(whose: Any, name: str, replacement: Any) -> Iterator[None]:
    """What goes by this name is something else for a while."""
    its_own = name in vars(whose)
    original = getattr(whose, name)
    setattr(whose, name, replacement)
    try:
        yield
    finally:
        if its_own:
            setattr(whose, name, original)
        else:
            delattr(whose, name)
