"""Examining a machine, and pretending that it is another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cbtui.engine.chatterbox.probe import DeviceFacts, TorchFacts
from cbtui.host import nvidia
from cbtui.host.doctor import Check, device, examine, hub
from cbtui.host.doctor.check import Subject
from cbtui.paths import Places

WEIGHTS = "t3_cfg.safetensors"


def look(places: Places, model_dir: Path | None = None, **given: Any) -> dict[str, Check]:
    asked: dict[str, Any] = {"engine": "chatterbox", "model": "english", "device": "cpu", "offline": True} | given
    return {check.name: check for check in examine(places, model_dir=model_dir, **asked)}


def subject(places: Places, *, wanted: str = "auto", answer: hub.HubAnswer | None = None) -> Subject:
    ask = (lambda: answer) if answer else hub.not_asked("of the test")
    return Subject(places, "chatterbox", "english", None, wanted, ask)


def problems(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.status == "problem"]


def pretend_torch(monkeypatch: pytest.MonkeyPatch, torch: TorchFacts, resolved: DeviceFacts) -> None:
    monkeypatch.setattr(device, "probe_torch", lambda: torch)
    monkeypatch.setattr(device, "probe_device", lambda _wanted: resolved)


def pretend_gpu(monkeypatch: pytest.MonkeyPatch, *, free_gb: float = 20) -> None:
    gpu = nvidia.Gpu("RTX 5090", "abc", int(free_gb * 1e9), 32_000_000_000)
    monkeypatch.setattr(device, "find_gpus", lambda: (gpu,))


CUDA_TORCH = TorchFacts("2.6.0+cu124", "12.4", ("sm_80", "sm_86", "sm_90"), cuda_usable=True, cuda_complaint="")
CPU_TORCH = TorchFacts("2.6.0+cpu", "", (), cuda_usable=False, cuda_complaint="")
