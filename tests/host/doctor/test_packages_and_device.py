"""The packages and the device: real ones, and broken ones made as real as they can be."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox import probe
from cbtui.engine.chatterbox.probe import DeviceFacts, TorchFacts, runs_on
from cbtui.host.doctor import device, packages
from cbtui.paths import Places
from tests.host.doctor.looking import (
    CPU_TORCH,
    CUDA_TORCH,
    look,
    pretend_gpu,
    pretend_torch,
    problems,
    subject,
)


class TestPackages:
    def test_missing_pkg_resources_is_one_problem_with_its_fix(
        self, places: Places, model_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *rest: None if name == "pkg_resources" else find(name, *rest)
        )
        checks = look(places, model_dir)
        assert problems(checks) == ["setuptools"]
        assert checks["setuptools"].fix == "pip install 'setuptools<82'"

    def test_setuptools_82_is_too_new(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packages, "version", lambda name: "82.0.1")
        [check] = packages.check_setuptools(subject(places))
        assert (check.status, check.fix) == ("problem", "pip install 'setuptools<82'")

    def test_a_watermarker_that_cannot_be_imported_is_explained(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import perth

        monkeypatch.setattr(perth, "PerthImplicitWatermarker", None)
        monkeypatch.setitem(sys.modules, "perth.perth_net.perth_net_implicit.perth_watermarker", None)
        [check] = packages.check_chatterbox(subject(places))
        assert check.status == "problem"
        assert check.detail.startswith("the watermarker perth is not usable: ")

    def test_what_is_missing_is_fetched_without_cbtui_itself_which_no_index_has(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        missing = {"chatterbox-tts": "", "textual": ""}
        monkeypatch.setattr(packages, "installed_version", lambda name: missing.get(name, "1.0"))
        [check] = packages.check_packages(subject(places))
        assert check.status == "problem"
        assert "make setup" in check.fix
        assert check.fix.endswith("pip install chatterbox-tts==0.1.7 'textual>=8.2'")

    def test_python_3_14_is_too_new(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "version_info", (3, 14, 0))
        [check] = packages.check_python(subject(places))
        assert check.status == "problem"
        assert "3.14.0" in check.detail

    def test_a_broken_torch_is_one_problem_with_torchs_own_words(
        self, places: Places, model_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> TorchFacts:
            raise EngineUnavailable("torch and torchaudio cannot be imported: libcudart.so.12: cannot open")

        monkeypatch.setattr(probe, "probe_torch", broken)
        monkeypatch.setattr(device, "probe_torch", broken)
        checks = look(places, model_dir)
        assert problems(checks) == ["torch"]
        assert "libcudart.so.12" in checks["torch"].detail

    def test_a_torch_that_fails_to_import_gives_its_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torchaudio", None)
        with pytest.raises(EngineUnavailable, match="torchaudio"):
            probe.probe_torch()


class TestDevice:
    @pytest.mark.parametrize(
        ("capability", "architectures", "fits"),
        [
            ((9, 0), ("sm_80", "sm_90"), True),
            ((8, 9), ("sm_80", "sm_90"), True),  # machine code of an older minor version
            ((12, 0), ("sm_80", "sm_90"), False),
            ((12, 0), ("sm_90", "compute_90"), True),  # compiled anew by the driver
            ((6, 1), ("sm_75", "sm_90"), False),
            ((12, 0), ("sm_90a",), False),
            ((9, 0), ("sm_90a",), True),
            ((9, 4), ("gfx90a", "gfx942"), True),  # AMD: no such rule
        ],
    )
    def test_code_fits_a_gpu_by_nvidias_rules(
        self, capability: tuple[int, int], architectures: tuple[str, ...], fits: bool
    ) -> None:
        assert runs_on(capability, architectures) is fits

    def test_an_rtx_50_with_torch_2_6_is_a_problem(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_torch(monkeypatch, CUDA_TORCH, DeviceFacts("cuda", "RTX 5090", (12, 0), "abc"))
        [check] = device.check_device(subject(places))
        assert check.status == "problem"
        assert "12.0" in check.detail
        assert "torch>=2.8" in check.fix

    def test_a_gpu_that_torch_was_compiled_for_is_fine(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_torch(monkeypatch, CUDA_TORCH, DeviceFacts("cuda", "RTX 4090", (8, 9), "abc"))
        [check] = device.check_device(subject(places))
        assert check.status == "ok"

    def test_a_gpu_behind_a_torch_without_cuda_is_a_warning(
        self, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pretend_gpu(monkeypatch)
        pretend_torch(monkeypatch, CPU_TORCH, DeviceFacts("cpu"))
        [check] = device.check_device(subject(places))
        assert check.status == "warning"
        assert check.fix.endswith("pip install torch==2.6.0 torchaudio==2.6.0")

    def test_cuda_asked_for_where_there_is_none_is_a_problem(self, places: Places) -> None:
        checks = {check.name: check for check in device.check_device(subject(places, wanted="cuda:97"))}
        assert checks["device"].status == "problem"
        assert "--device cpu" in checks["device"].fix

    def test_a_full_gpu_is_a_warning(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch, free_gb=1.5)
        pretend_torch(monkeypatch, CUDA_TORCH, DeviceFacts("cuda", "RTX 5090", (9, 0), "abc"))
        [check] = device.check_gpus(subject(places))
        assert check.status == "warning"
        assert "1.5 GB of 32.0 GB" in check.detail

    def test_an_idle_gpu_is_only_mentioned(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        pretend_gpu(monkeypatch)
        pretend_torch(monkeypatch, CUDA_TORCH, DeviceFacts("cpu"))
        [check] = device.check_gpus(subject(places))
        assert check.status == "info"

    def test_little_memory_is_a_warning_on_the_cpu(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2e9, total=8e9))
        [check] = device.check_memory(subject(places, wanted="cpu"))
        assert check.status == "warning"
        assert "2.0 GB of 8.0 GB" in check.detail
