"""The figures of the machine while it renders, read when they are asked for: the GPU's, torch's and the process's."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from cbtui.engine.base import Vitals
from cbtui.engine.chatterbox.probe import DeviceFacts
from cbtui.host.nvidia import Driver, GpuReading, NoGpus

# Samples between two tries to reach a driver that gave no answer: a minute, at one a second.
_SAMPLES_BETWEEN_TRIES = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the machine. `at` is Unix time in seconds, sizes are bytes; None is what cannot be told.

    `device` is `cuda`, `mps` or `cpu`. `total`, `used_by_us`, `used_by_others` and `free` are of the memory that models
    lie in there: the GPU's, else the machine's. Among the others' is what the driver keeps for itself. `utilisation` is
    the GPU's in percent, `temperature` in °C; `allocated`, `reserved` and `peak` are torch's own count of the
    GPU's memory, and `rss` is what this process holds of the machine's.
    """

    at: float
    device: str
    rss: int
    gpu: str | None = None
    total: int | None = None
    used_by_us: int | None = None
    used_by_others: int | None = None
    free: int | None = None
    utilisation: int | None = None
    temperature: int | None = None
    allocated: int | None = None
    reserved: int | None = None
    peak: int | None = None

    def as_json(self) -> dict[str, object]:
        """For `cbtui status --json`: the keys are a contract, and all of them are always there."""
        return {
            "at": round(self.at, 3),
            "device": self.device,
            "gpu": self.gpu,
            "total_bytes": self.total,
            "used_by_us_bytes": self.used_by_us,
            "used_by_others_bytes": self.used_by_others,
            "free_bytes": self.free,
            "utilisation_percent": self.utilisation,
            "temperature_celsius": self.temperature,
            "torch_allocated_bytes": self.allocated,
            "torch_reserved_bytes": self.reserved,
            "torch_peak_bytes": self.peak,
            "process_rss_bytes": self.rss,
        }


class Monitor:
    """Takes a sample when asked; has no thread of its own.

    `vitals` gives the engine's. `device_in_use` tells where models lie, once that is known; until then it is where
    `asked`, as in `--device`, would put them. `on_notice` hears once when the GPU's figures cannot be had, and once
    when they can again; sampling goes on without them.
    """

    def __init__(
        self,
        *,
        vitals: Callable[[], Vitals],
        device_in_use: Callable[[], DeviceFacts | None],
        asked: str = "auto",
        on_notice: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._vitals = vitals
        self._device_in_use = device_in_use
        self._asked = asked
        self._clock = clock
        self._known: DeviceFacts | None = None
        self._gpu = _GpuLine(on_notice)
        self._torch_was_there = False

    def sample(self) -> Sample:
        vitals = self._vitals()
        self._torch_was_there = self._torch_was_there or vitals.reserved is not None
        self._known = self._known or self._device_in_use()
        kind = (self._known.device if self._known else self._asked).partition(":")[0]
        reading = None
        if kind in {"auto", "cuda"}:
            reading = self._gpu.read(self._known.uuid or None if self._known else None)
        if kind == "auto":
            kind = "cuda" if reading else _without_nvidia()
        return self._of_gpu(vitals, reading) if kind == "cuda" else self._of_machine(kind)

    def close(self) -> None:
        self._gpu.close()

    def _of_gpu(self, vitals: Vitals, reading: GpuReading | None) -> Sample:
        sample = Sample(
            self._clock(),
            "cuda",
            _rss(),
            allocated=vitals.allocated,
            reserved=vitals.reserved,
            peak=vitals.peak,
        )
        if reading is None:
            return sample
        gpu, ours = reading.gpu, reading.ours
        # Before there was a model, there is nothing that the driver could list.
        if ours is None and not self._torch_was_there:
            ours = 0
        others = None if gpu.total is None or gpu.free is None or ours is None else gpu.total - gpu.free - ours
        return replace(
            sample,
            gpu=gpu.name,
            total=gpu.total,
            used_by_us=ours,
            used_by_others=others and max(0, others),
            free=gpu.free,
            utilisation=reading.utilisation,
            temperature=reading.temperature,
        )

    def _of_machine(self, kind: str) -> Sample:
        import psutil

        memory, rss = psutil.virtual_memory(), _rss()
        return Sample(
            self._clock(),
            kind,
            rss,
            total=memory.total,
            used_by_us=rss,
            used_by_others=max(0, memory.total - memory.available - rss),
            free=memory.available,
        )


class _GpuLine:
    """The line to the driver, opened at the first question and again when it broke."""

    def __init__(self, on_notice: Callable[[str], None]) -> None:
        self._on_notice = on_notice
        self._driver: Driver | None = None
        self._waiting = 0
        self._told = False

    def read(self, uuid: str | None) -> GpuReading | None:
        if self._waiting:
            self._waiting -= 1
            return None
        try:
            self._driver = self._driver or Driver()
            reading = self._driver.read(uuid, os.getpid())
        except NoGpus as error:
            self.close()
            self._waiting = _SAMPLES_BETWEEN_TRIES
            if not self._told:
                self._told = True
                self._on_notice(f"{error}: the figures of the GPU are left out")
            return None
        if self._told:
            self._told = False
            self._on_notice("the NVIDIA driver answers again")
        return reading

    def close(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._driver = None


def _without_nvidia() -> str:
    """What torch's choice comes to without NVIDIA's GPUs."""
    return "mps" if sys.platform == "darwin" and platform.machine() == "arm64" else "cpu"


def _rss() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
