"""NVIDIA's own account of the GPUs, which needs neither torch nor a CUDA context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any


class NoGpus(Exception):
    """NVIDIA's library cannot be asked. The message says why."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """`free` and `total` are bytes, None where the GPU shares the machine's memory. `uuid` without its `GPU-`."""

    name: str
    uuid: str
    free: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class GpuReading:
    """A GPU at one moment: `ours` in bytes, `utilisation` in percent of the last time slice, `temperature` in °C.

    None is what this GPU or driver does not tell. `ours`, the memory of one process, is None also where the driver does
    not list that process: one that has nothing there, or that has another number outside of its container.
    """

    gpu: Gpu
    ours: int | None
    utilisation: int | None
    temperature: int | None


class Driver:
    """An open line to NVIDIA's driver, until it is closed. Opening it and each question raise NoGpus."""

    def __init__(self) -> None:
        try:
            import pynvml
        except ImportError as error:
            raise NoGpus("nvidia-ml-py is not installed") from error
        self._nvml = pynvml
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise NoGpus(f"no NVIDIA driver ({error})") from error
        try:
            self._handles = self._find_handles()
        except NoGpus:
            self.close()
            raise

    def close(self) -> None:
        # A driver that is gone has nothing left to shut down.
        with suppress(self._nvml.NVMLError):
            self._nvml.nvmlShutdown()

    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs of this machine, in the driver's order."""
        with self._must_answer():
            return tuple(map(self._describe, self._handles))

    def read(self, uuid: str | None, pid: int) -> GpuReading:
        """The GPU of that uuid, or without one the first, and what process `pid` uses of it."""
        nvml, gpus = self._nvml, self.gpus()
        number = _position(gpus, uuid)
        handle = self._handles[number]
        with self._must_answer():
            processes = self._ask_if_told(nvml.nvmlDeviceGetComputeRunningProcesses, handle)
            utilisation = self._ask_if_told(nvml.nvmlDeviceGetUtilizationRates, handle)
            temperature = self._ask_if_told(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU)
        return GpuReading(
            gpus[number],
            ours=_memory_of(pid, processes or []),
            utilisation=None if utilisation is None else int(utilisation.gpu),
            temperature=temperature,
        )

    def _find_handles(self) -> list[Any]:
        with self._must_answer():
            count = self._nvml.nvmlDeviceGetCount()
            handles = [self._nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        if not handles:
            raise NoGpus("the NVIDIA driver sees no GPU")
        return handles

    def _describe(self, handle: object) -> Gpu:
        name, uuid = (_text(ask(handle)) for ask in (self._nvml.nvmlDeviceGetName, self._nvml.nvmlDeviceGetUUID))
        memory = self._ask_if_told(self._nvml.nvmlDeviceGetMemoryInfo, handle)
        free, total = (int(memory.free), int(memory.total)) if memory else (None, None)
        return Gpu(name, uuid.removeprefix("GPU-"), free, total)

    @contextmanager
    def _must_answer(self) -> Iterator[None]:
        try:
            yield
        except self._nvml.NVMLError as error:
            raise NoGpus(f"the NVIDIA driver gives no answer ({error})") from error

    def _ask_if_told(self, question: Callable[..., Any], *arguments: object) -> Any | None:
        """None where this GPU, this driver or this user's rights have no answer."""
        nvml = self._nvml
        try:
            return question(*arguments)
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_NoPermission, nvml.NVMLError_FunctionNotFound):
            return None


def find_gpus() -> tuple[Gpu, ...]:
    """The GPUs of this machine, in the driver's order. Raises NoGpus."""
    with closing(Driver()) as driver:
        return driver.gpus()


def _position(gpus: tuple[Gpu, ...], uuid: str | None) -> int:
    """Torch numbers GPUs otherwise than the driver does, so they are matched by what never changes."""
    if uuid is None or len(gpus) == 1:
        return 0
    for number, gpu in enumerate(gpus):
        if gpu.uuid == uuid:
            return number
    raise NoGpus(f"the NVIDIA driver does not know the GPU {uuid} that is used")


def _memory_of(pid: int, processes: list[Any]) -> int | None:
    """Bytes; a process can stand there several times. None where it does not, or where its bytes are not told."""
    own = [process.usedGpuMemory for process in processes if process.pid == pid]
    return None if not own or None in own else sum(own)


def _text(value: str | bytes) -> str:
    """Older releases of nvidia-ml-py give bytes."""
    return value.decode() if isinstance(value, bytes) else value
