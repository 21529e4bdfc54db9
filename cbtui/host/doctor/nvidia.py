"""NVIDIA's own account of the GPUs, which needs neither torch nor a CUDA context."""

from __future__ import annotations

from dataclasses import dataclass


class NoGpus(Exception):
    """NVIDIA's library cannot be asked. The message says why."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """`free` and `total` are bytes, None where the GPU shares the machine's memory. `uuid` without its `GPU-`."""

    name: str
    uuid: str
    free: int | None
    total: int | None


def find_gpus() -> tuple[Gpu, ...]:
    """The GPUs of this machine, in the driver's order. Raises NoGpus."""
    try:
        import pynvml
    except ImportError as error:
        raise NoGpus("nvidia-ml-py is not installed") from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NoGpus(f"no NVIDIA driver ({error})") from error
    try:
        count = pynvml.nvmlDeviceGetCount()
        gpus = tuple(_read(pynvml.nvmlDeviceGetHandleByIndex(index)) for index in range(count))
    except pynvml.NVMLError as error:
        raise NoGpus(f"the NVIDIA driver gives no answer ({error})") from error
    finally:
        pynvml.nvmlShutdown()
    if not gpus:
        raise NoGpus("the NVIDIA driver sees no GPU")
    return gpus


def _read(handle: object) -> Gpu:
    import pynvml

    name, uuid = (_text(ask(handle)) for ask in (pynvml.nvmlDeviceGetName, pynvml.nvmlDeviceGetUUID))
    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError_NotSupported:
        return Gpu(name, uuid.removeprefix("GPU-"), None, None)
    return Gpu(name, uuid.removeprefix("GPU-"), int(memory.free), int(memory.total))


def _text(value: str | bytes) -> str:
    """Older releases of nvidia-ml-py give bytes."""
    return value.decode() if isinstance(value, bytes) else value
