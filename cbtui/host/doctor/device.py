"""Torch, the device it would render on, and the memory there."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox.probe import DeviceFacts, TorchFacts, probe_device, probe_torch, runs_on
from cbtui.host.doctor.check import GB, Check, Subject, without_advice
from cbtui.host.nvidia import Gpu, NoGpus, find_gpus

_ENOUGH_GPU_BYTES = 4 * GB
_ENOUGH_MEMORY_BYTES = 6 * GB

_REINSTALL = "pip install --force-reinstall torch==2.6.0 torchaudio==2.6.0"


def check_torch(subject: Subject) -> Iterator[Check]:
    if importlib.util.find_spec("torch") is None:
        yield Check("torch", "info", "not tried, because torch is not installed")
        return
    try:
        facts = probe_torch()
    except EngineUnavailable as error:
        yield Check("torch", "problem", str(error), _REINSTALL)
        return
    yield Check("torch", "ok", f"torch {facts.version}, {_build(facts)}, can be imported")


def check_device(subject: Subject) -> Iterator[Check]:
    try:
        torch = probe_torch()
    except EngineUnavailable:
        yield Check("device", "info", "not known, because torch cannot be imported")
        return
    gpus = _gpus()
    try:
        device = probe_device(subject.device)
    except EngineUnavailable as error:
        repairable = subject.device.startswith("cuda") and gpus and not torch.cuda_usable
        fix = _cuda_fix(torch) if repairable else "Choose --device auto, or --device cpu"
        yield Check("device", "problem", without_advice(error), fix)
        return
    if device.capability is not None:
        yield _check_cuda(torch, device, device.capability)
    elif gpus and not torch.cuda_usable and subject.device == "auto":
        complaint = f" ({torch.cuda_complaint})" if torch.cuda_complaint else ""
        detail = f"{device.device}, because torch {torch.version} cannot use the {gpus[0].name} here{complaint}"
        yield Check("device", "warning", detail, _cuda_fix(torch))
    else:
        yield Check("device", "ok", f"cpu, {os.cpu_count()} cores" if device.device == "cpu" else device.device)


def check_gpus(subject: Subject) -> Iterator[Check]:
    try:
        gpus = find_gpus()
    except NoGpus as error:
        yield Check("gpu", "info", str(error))
        return
    device, figures = _device(subject), ", ".join(map(_figures, gpus))
    used = _used_by(device, gpus)
    if device is None:
        yield Check("gpu", "info", f"{figures}; the device is not known")
    elif device.capability is None:
        yield Check("gpu", "info", f"{figures}; not used, the device is {device.device}")
    elif used is None:
        yield Check("gpu", "info", f"{figures}; which of them {device.device} is cannot be told")
    elif used.free is not None and used.free < _ENOUGH_GPU_BYTES:
        fix = "End other programs that use the GPU (nvidia-smi lists them), or choose --device cpu"
        yield Check("gpu", "warning", f"{_figures(used)}, and a model needs about 4 GB", fix)
    else:
        yield Check("gpu", "ok", _figures(used))


def check_memory(subject: Subject) -> Iterator[Check]:
    try:
        import psutil
    except ImportError:
        yield Check("memory", "info", "not known, because psutil is not installed")
        return
    memory = psutil.virtual_memory()
    detail = f"{memory.available / GB:.1f} GB of {memory.total / GB:.1f} GB free"
    device = _device(subject)
    if device is not None and device.device == "cpu" and memory.available < _ENOUGH_MEMORY_BYTES:
        fix = "End other programs, or render on a machine with more memory"
        yield Check("memory", "warning", f"{detail}, and rendering on the cpu needs about 6 GB", fix)
    else:
        yield Check("memory", "ok", detail)


def _check_cuda(torch: TorchFacts, device: DeviceFacts, capability: tuple[int, int]) -> Check:
    number = ".".join(map(str, capability))
    detail = f"{device.device}: {device.name}, compute capability {number}, torch {torch.version} with {_build(torch)}"
    if runs_on(capability, torch.architectures):
        return Check("device", "ok", detail)
    detail += f", which is compiled for {', '.join(torch.architectures)} only"
    # 12.0 is the RTX 50 series: torch 2.7 is the first with code for it, 2.8 on PyPI has it too.
    if capability >= (10, 0):
        fix = "pip install 'torch>=2.8' 'torchaudio>=2.8' (an RTX 50, sm_120, needs at least 2.7), or --device cpu"
    else:
        fix = f"{_REINSTALL} (later releases leave old GPUs out), or --device cpu"
    return Check("device", "problem", detail, fix)


def _cuda_fix(torch: TorchFacts) -> str:
    if torch.cuda:
        fix = f"Update the NVIDIA driver to one for CUDA {torch.cuda}"
        hiding = "CUDA_VISIBLE_DEVICES" in os.environ
        return f"{fix}, and see that CUDA_VISIBLE_DEVICES does not hide the GPU" if hiding else fix
    release = torch.version.partition("+")[0]
    return f"pip uninstall -y torch torchaudio && pip install torch=={release} torchaudio=={release}"


def _build(torch: TorchFacts) -> str:
    return f"CUDA {torch.cuda}" if torch.cuda else "built without CUDA"


def _device(subject: Subject) -> DeviceFacts | None:
    try:
        probe_torch()
        return probe_device(subject.device)
    except EngineUnavailable:
        return None


def _gpus() -> tuple[Gpu, ...]:
    try:
        return find_gpus()
    except NoGpus:
        return ()


def _used_by(device: DeviceFacts | None, gpus: tuple[Gpu, ...]) -> Gpu | None:
    """Torch numbers GPUs otherwise than the driver does, so they are matched by what never changes."""
    if device is None or device.capability is None:
        return None
    return next((gpu for gpu in gpus if gpu.uuid == device.uuid), gpus[0] if len(gpus) == 1 else None)


def _figures(gpu: Gpu) -> str:
    if gpu.free is None or gpu.total is None:
        return f"{gpu.name}, which shares the machine's memory"
    return f"{gpu.name}, {gpu.free / GB:.1f} GB of {gpu.total / GB:.1f} GB free"
