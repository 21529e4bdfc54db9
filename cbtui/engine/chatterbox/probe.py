"""What torch says of itself and of the devices here, as plain facts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.library import logged_output

_ARCHITECTURE = re.compile(r"(sm|compute)_(\d+)([af]?)")


@dataclass(frozen=True, slots=True)
class TorchFacts:
    """`cuda` is the CUDA version torch was built with, or ''; `architectures` are those it was compiled for.

    `cuda_usable` tells whether CUDA works here, and `cuda_complaint` what torch said if not.
    """

    version: str
    cuda: str
    architectures: tuple[str, ...]
    cuda_usable: bool
    cuda_complaint: str


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """`device` as torch is given it; the rest is known of CUDA devices only. `capability` is (major, minor)."""

    device: str
    name: str = ""
    capability: tuple[int, int] | None = None
    uuid: str = ""


def probe_torch() -> TorchFacts:
    """Import torch and torchaudio. Raises EngineUnavailable with the reason when one of them is missing or broken."""
    try:
        with logged_output():
            import torch
            import torchaudio
    # A library that torch was built with and that is missing or of another version is an OSError.
    except (ImportError, OSError) as error:
        reason = " ".join(str(error).split())
        raise EngineUnavailable(f"torch and torchaudio cannot be imported: {reason}") from error
    del torchaudio
    with logged_output(), warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        usable = torch.cuda.is_available()
        architectures = tuple(torch.cuda.get_arch_list())
    complaint = " ".join(str(complaints[0].message).split()) if complaints and not usable else ""
    return TorchFacts(torch.__version__, torch.version.cuda or "", architectures, usable, complaint)


def probe_watermarker() -> str:
    """Why perth's watermarker cannot be imported, which perth itself keeps quiet about; '' when it can be."""
    try:
        with logged_output():
            import perth.perth_net.perth_net_implicit.perth_watermarker as watermarker
    except (ImportError, OSError) as error:
        return " ".join(str(error).split())
    del watermarker
    return ""


def probe_device(wanted: str) -> DeviceFacts:
    """The device that would be used for `wanted`. Raises EngineUnavailable when it is not there."""
    from cbtui.engine.chatterbox.device import resolve_device

    with logged_output():
        return device_facts(resolve_device(wanted))


def device_facts(device: str) -> DeviceFacts:
    """What torch knows of a device that `resolve_device` named."""
    import torch

    if not device.startswith("cuda"):
        return DeviceFacts(device)
    facts = torch.cuda.get_device_properties(device)
    return DeviceFacts(device, facts.name, (facts.major, facts.minor), str(getattr(facts, "uuid", "")))


def runs_on(capability: tuple[int, int], architectures: Iterable[str]) -> bool:
    """Whether code compiled for these architectures runs on a GPU of this compute capability.

    NVIDIA's rules (CUDA C++ Programming Guide, "Binary Compatibility" and "PTX Compatibility"): machine code, `sm_`,
    runs on the same major version from its minor version up; `compute_` is compiled anew for any later GPU; a
    final `a` allows only this one version. Without any such name, as in builds for AMD, nothing speaks against it.
    """
    found = [match.groups() for match in map(_ARCHITECTURE.fullmatch, architectures) if match]
    return not found or any(_runs_on(capability, kind, divmod(int(digits), 10), only) for kind, digits, only in found)


def _runs_on(capability: tuple[int, int], kind: str, built_for: tuple[int, int], suffix: str) -> bool:
    if suffix == "a":
        return capability == built_for
    if kind == "compute" and not suffix:
        return capability >= built_for
    return capability[0] == built_for[0] and capability[1] >= built_for[1]
