"""Choosing a device, and saying so when it cannot be had."""

from __future__ import annotations

from cbtui.engine.base import EngineUnavailable

DEVICES = ("auto", "cuda", "mps", "cpu")


def resolve_device(wanted: str) -> str:
    """`cuda`, `mps` or `cpu` (or a numbered one such as `cuda:1`) for `wanted`, which may be `auto`.

    Raises EngineUnavailable when a device named by hand is not there.
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(device for device, usable in there.items() if usable)
    kind, _, number = wanted.partition(":")
    if kind not in there or (number and not number.isdigit()):
        raise EngineUnavailable(f"there is no device {wanted!r}. Choose one of {', '.join(DEVICES)}, or cuda:1.")
    if not there[kind]:
        raise EngineUnavailable(
            f"the device {wanted} cannot be used by torch {torch.__version__} here. "
            "Choose --device auto, or see what cbtui doctor says."
        )
    if kind == "cuda" and number and int(number) >= torch.cuda.device_count():
        raise EngineUnavailable(f"there are {torch.cuda.device_count()} CUDA devices; {wanted} is not one of them.")
    # One card, one name: `cuda` is the first.
    return "cuda" if wanted == "cuda:0" else wanted
