"""The monitor: each figure from where it is known, None where it is not, and a driver that comes and goes.

The driver is made up behind the functions of pynvml, so a function that pynvml does not have fails the test.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from cbtui.engine.base import Vitals
from cbtui.engine.chatterbox.probe import DeviceFacts
from cbtui.host.monitor import Monitor, Sample

GB = 1_000_000_000
LOADED = Vitals(hooks=0, allocated=3 * GB, reserved=4 * GB, peak=5 * GB)
TOTAL, RSS = 16 * GB, 2 * GB


@dataclass
class Card:
    name: str = "RTX 4090"
    uuid: str = "GPU-aaaa"
    processes: list[tuple[int, int | None]] = field(default_factory=lambda: [(os.getpid(), 5 * GB), (1, 2 * GB)])
    refuses: frozenset[str] = frozenset()


class Driver:
    """24 GB cards, 10 of them used. `broken` is the number of NVML's error that every question gives."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cards = [Card()]
        self.missing = self.broken = 0
        self.open = self.opened = 0
        answers = {
            "DeviceGetCount": lambda: len(self.cards),
            "DeviceGetHandleByIndex": lambda index: self.cards[index],
            "DeviceGetName": lambda card: card.name,
            "DeviceGetUUID": lambda card: card.uuid.encode(),
            "DeviceGetMemoryInfo": lambda card: SimpleNamespace(free=14 * GB, used=10 * GB, total=24 * GB),
            "DeviceGetUtilizationRates": lambda card: SimpleNamespace(gpu=87, memory=40),
            "DeviceGetTemperature": lambda card, sensor: {pynvml.NVML_TEMPERATURE_GPU: 64}[sensor],
            "DeviceGetComputeRunningProcesses": lambda card: [
                SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in card.processes
            ],
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, f"nvml{name}", self._asked(name, answer))
        monkeypatch.setattr(pynvml, "nvmlInit", self._init)
        monkeypatch.setattr(pynvml, "nvmlShutdown", self._shutdown)

    def _asked(self, name: str, answer):  # type: ignore[no-untyped-def]
        def ask(*arguments):  # type: ignore[no-untyped-def]
            assert self.open == 1
            if self.broken:
                raise pynvml.NVMLError(self.broken)
            if arguments and isinstance(arguments[0], Card) and name in arguments[0].refuses:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
            return answer(*arguments)

        return ask

    def _init(self) -> None:
        if self.missing:
            raise pynvml.NVMLError(self.missing)
        self.open += 1
        self.opened += 1

    def _shutdown(self) -> None:
        self.open -= 1
        if self.broken:
            raise pynvml.NVMLError(self.broken)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    return Driver(monkeypatch)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 GB, 10 of them available, and 2 GB of them held by this process."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=TOTAL, available=10 * GB))
    monkeypatch.setattr(psutil.Process, "memory_info", lambda self: SimpleNamespace(rss=RSS))


class Bench:
    """A monitor, what it is told and what it says."""

    def __init__(self, *, asked: str = "auto", vitals: Vitals = LOADED, device: DeviceFacts | None = None) -> None:
        self.vitals = vitals
        self.device = device
        self.notices: list[str] = []
        self.monitor = Monitor(
            vitals=lambda: self.vitals,
            device_in_use=lambda: self.device,
            asked=asked,
            on_notice=self.notices.append,
            clock=lambda: 1000.12345,
        )

    def sample(self, times: int = 1) -> Sample:
        return [self.monitor.sample() for _ in range(times)][-1]


def test_the_figures_of_a_gpu(driver: Driver) -> None:
    bench = Bench()
    assert bench.sample() == Sample(
        at=1000.12345,
        device="cuda",
        rss=RSS,
        gpu="RTX 4090",
        total=24 * GB,
        used_by_us=5 * GB,
        used_by_others=5 * GB,
        free=14 * GB,
        utilisation=87,
        temperature=64,
        allocated=3 * GB,
        reserved=4 * GB,
        peak=5 * GB,
    )
    assert bench.notices == []


def test_json_has_every_key_also_of_what_is_not_known() -> None:
    keys = [
        "at",
        "device",
        "gpu",
        "total_bytes",
        "used_by_us_bytes",
        "used_by_others_bytes",
        "free_bytes",
        "utilisation_percent",
        "temperature_celsius",
        "torch_allocated_bytes",
        "torch_reserved_bytes",
        "torch_peak_bytes",
        "process_rss_bytes",
    ]
    known = Sample(1000.12345, "cuda", 13, "RTX 4090", *range(4, 13))
    assert known.as_json() == dict(zip(keys, [1000.123, "cuda", "RTX 4090", *range(4, 14)], strict=True))
    assert list(Sample(1.0, "cpu", 13).as_json()) == keys


class TestWhichGpu:
    @pytest.fixture(autouse=True)
    def two(self, driver: Driver) -> None:
        driver.cards = [Card(), Card("RTX 5090", "GPU-bbbb")]

    def test_it_is_the_one_that_models_lie_on(self) -> None:
        assert Bench(device=DeviceFacts("cuda", uuid="bbbb")).sample().gpu == "RTX 5090"

    def test_before_that_is_known_it_is_the_first(self) -> None:
        bench = Bench()
        assert bench.sample().gpu == "RTX 4090"
        bench.device = DeviceFacts("cuda", uuid="bbbb")
        assert bench.sample().gpu == "RTX 5090"
        bench.device = None  # unloaded
        assert bench.sample().gpu == "RTX 5090"

    def test_one_that_the_driver_does_not_know_is_not_guessed(self) -> None:
        bench = Bench(device=DeviceFacts("cuda", uuid="cccc"))
        assert (bench.sample().gpu, bench.sample().total) == (None, None)
        assert len(bench.notices) == 1
        assert "cccc" in bench.notices[0]

    def test_an_only_one_is_the_one_whatever_its_uuid(self, driver: Driver) -> None:
        driver.cards = [Card()]
        assert Bench(device=DeviceFacts("cuda", uuid="MIG-1")).sample().gpu == "RTX 4090"


class TestWhoUsesIt:
    def test_a_process_that_stands_there_twice_is_added_up(self, driver: Driver) -> None:
        driver.cards[0].processes = [(os.getpid(), GB), (os.getpid(), 2 * GB)]
        sample = Bench().sample()
        assert (sample.used_by_us, sample.used_by_others) == (3 * GB, 7 * GB)

    @pytest.mark.parametrize("processes", [[], [(os.getpid() + 1, 5 * GB)], [(os.getpid(), None)]])
    def test_in_a_container_it_cannot_be_told(self, driver: Driver, processes: list[tuple[int, int | None]]) -> None:
        driver.cards[0].processes = processes
        sample = Bench().sample()
        assert (sample.used_by_us, sample.used_by_others) == (None, None)
        assert (sample.total, sample.free, sample.reserved) == (24 * GB, 14 * GB, 4 * GB)

    def test_before_a_model_was_loaded_it_is_the_others(self, driver: Driver) -> None:
        driver.cards[0].processes = [(1, 10 * GB)]
        bench = Bench(vitals=Vitals())
        sample = bench.sample()
        assert (sample.used_by_us, sample.used_by_others) == (0, 10 * GB)
        bench.vitals = LOADED
        assert bench.sample().used_by_us is None
        bench.vitals = Vitals()  # of another engine
        assert bench.sample().used_by_us is None


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("DeviceGetUtilizationRates", {"utilisation"}),
        ("DeviceGetTemperature", {"temperature"}),
        ("DeviceGetComputeRunningProcesses", {"used_by_us", "used_by_others"}),
        ("DeviceGetMemoryInfo", {"total", "free", "used_by_others"}),
    ],
)
def test_what_a_gpu_does_not_tell_leaves_the_rest(driver: Driver, question: str, unknown: set[str]) -> None:
    driver.cards[0].refuses = frozenset({question})
    bench = Bench()
    sample = bench.sample()
    assert {name for name in Sample.__dataclass_fields__ if getattr(sample, name) is None} == unknown
    assert bench.notices == []


class TestDriver:
    def test_it_is_opened_once_and_closed(self, driver: Driver) -> None:
        bench = Bench()
        bench.sample(10)
        assert (driver.opened, driver.open) == (1, 1)
        bench.monitor.close()
        assert driver.open == 0

    def test_none_is_said_once(self, driver: Driver) -> None:
        driver.missing = pynvml.NVML_ERROR_LIBRARY_NOT_FOUND
        bench = Bench()
        sample = bench.sample(200)
        assert (sample.device, sample.gpu) == ("cpu", None)
        assert len(bench.notices) == 1
        assert bench.notices[0].startswith("no NVIDIA driver (")
        bench.monitor.close()

    def test_a_driver_without_gpus_is_closed_again(self, driver: Driver) -> None:
        driver.cards = []
        bench = Bench()
        bench.sample(2)
        assert bench.notices == ["the NVIDIA driver sees no GPU: the figures of the GPU are left out"]
        assert driver.open == 0

    def test_one_that_fails_is_told_once_and_sampling_goes_on(self, driver: Driver) -> None:
        bench = Bench(device=DeviceFacts("cuda", uuid="aaaa"))
        bench.sample()
        driver.broken = pynvml.NVML_ERROR_GPU_IS_LOST
        sample = bench.sample(200)
        assert len(bench.notices) == 1
        assert "GPU is lost" in bench.notices[0]
        assert (sample.device, sample.gpu, sample.total, sample.utilisation) == ("cuda", None, None, None)
        assert (sample.reserved, sample.rss) == (4 * GB, RSS)
        assert driver.open == 0

    def test_one_that_comes_back_is_found_and_told(self, driver: Driver) -> None:
        bench = Bench()
        driver.broken = pynvml.NVML_ERROR_GPU_IS_LOST
        bench.sample()
        driver.broken = 0
        assert bench.sample(60).gpu is None
        assert bench.sample().gpu == "RTX 4090"
        assert bench.notices[1:] == ["the NVIDIA driver answers again"]
        driver.broken = pynvml.NVML_ERROR_UNKNOWN
        bench.sample()
        assert len(bench.notices) == 3


class TestWithoutGpu:
    @pytest.mark.parametrize(("device", "kind"), [("cpu", "cpu"), ("mps", "mps")])
    def test_it_is_the_machines_memory_and_no_driver_is_asked(self, driver: Driver, device: str, kind: str) -> None:
        bench = Bench(device=DeviceFacts(device), vitals=Vitals())
        assert bench.sample() == Sample(
            1000.12345, kind, RSS, total=TOTAL, used_by_us=RSS, used_by_others=4 * GB, free=10 * GB
        )
        assert Bench(asked=device).sample().device == kind
        assert driver.opened == 0
        assert bench.notices == []

    def test_a_gpu_that_torch_cannot_use_is_not_shown_once_that_is_known(self, driver: Driver) -> None:
        bench = Bench(vitals=Vitals())
        assert bench.sample().device == "cuda"
        bench.device = DeviceFacts("cpu")
        assert (bench.sample().device, bench.sample().gpu) == ("cpu", None)

    def test_a_mac_with_apples_processor_is_taken_for_what_torch_takes_it(
        self, driver: Driver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        driver.missing = pynvml.NVML_ERROR_LIBRARY_NOT_FOUND
        monkeypatch.setattr(sys, "platform", "darwin")
        monkeypatch.setattr(platform, "machine", lambda: "arm64")
        assert Bench().sample().device == "mps"

    def test_a_process_knows_what_it_holds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        sample = Bench(asked="cpu").sample()
        assert sample.total is not None
        assert 1_000_000 < sample.rss < sample.total
