"""What `cbtui doctor` finds: real checks on this machine, and broken things made as real as they can be."""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from cbtui.commands import doctor, exits
from cbtui.engine.base import EngineUnavailable
from cbtui.engine.chatterbox import probe
from cbtui.engine.chatterbox.checkpoint import FILES
from cbtui.engine.chatterbox.probe import DeviceFacts, TorchFacts, runs_on
from cbtui.host.doctor import Check, device, examine, folders, hub, nvidia, packages
from cbtui.host.doctor.check import Subject
from cbtui.paths import Places

WEIGHTS = "t3_cfg.safetensors"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client reads its folder when it is first imported, so its constant is what has to change."""
    import huggingface_hub.constants
    import huggingface_hub.file_download

    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    return cache


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(*(tmp_path / name for name in ("jobs", "output", "state", "cache", "config")))


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """All files of the english model, by name; what they hold is not the doctor's business."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in FILES["english"]:
        (folder / name).write_bytes(b"content")
    return folder


@pytest.fixture
def silent_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.2)
        yield


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


class TestThisMachine:
    def test_would_render_on_the_cpu_with_a_whole_model_folder(self, places: Places, model_dir: Path) -> None:
        checks = look(places, model_dir)
        assert problems(checks) == []
        assert checks["chatterbox"].status == checks["torch"].status == checks["setuptools"].status == "ok"
        assert checks["model english"].detail == f"0.0 GB in {model_dir}"

    def test_has_no_problem_without_a_fix_and_no_ok_with_one(self, places: Places) -> None:
        checks = look(places).values()
        assert all(check.fix for check in checks if check.status in {"problem", "warning"})
        assert not any(check.fix for check in checks if check.status == "ok")

    def test_makes_no_folder_and_leaves_no_file(self, places: Places, model_dir: Path, tmp_path: Path) -> None:
        before = sorted(tmp_path.rglob("*"))
        look(places, model_dir)
        assert sorted(tmp_path.rglob("*")) == before

    def test_names_no_check_twice(self, places: Places) -> None:
        names = [
            check.name
            for check in examine(
                places, engine="chatterbox", model="turbo", model_dir=None, device="auto", offline=True
            )
        ]
        assert len(set(names)) == len(names)

    def test_an_unknown_model_is_the_callers_mistake(self, places: Places) -> None:
        with pytest.raises(ValueError, match="klingon"):
            look(places, model="klingon")


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


class TestModels:
    def test_a_missing_file_of_the_model_folder_is_named(self, places: Places, model_dir: Path) -> None:
        (model_dir / WEIGHTS).unlink()
        checks = look(places, model_dir)
        assert problems(checks) == ["model english"]
        assert (
            checks["model english"].detail == f"the model folder {model_dir} lacks {WEIGHTS}" + " of the english model"
        )

    def test_an_empty_file_is_a_missing_file(self, places: Places, model_dir: Path) -> None:
        (model_dir / WEIGHTS).write_bytes(b"")
        assert WEIGHTS in look(places, model_dir)["model english"].detail

    def test_a_model_folder_that_is_not_there(self, places: Places, tmp_path: Path) -> None:
        check = look(places, tmp_path / "nowhere")["model english"]
        assert check.status == "problem"
        assert str(tmp_path / "nowhere") in check.detail

    def test_a_model_folder_without_the_built_in_voice_will_do(self, places: Places, model_dir: Path) -> None:
        (model_dir / "conds.pt").unlink()
        check = look(places, model_dir)["model english"]
        assert check.status == "ok"
        assert "without conds.pt" in check.detail

    def test_offline_only_the_model_asked_for_is_a_problem(self, places: Places) -> None:
        checks = look(places, model="turbo")
        assert problems(checks) == ["model turbo"]
        assert "--model-dir" in checks["model turbo"].fix
        assert checks["model english"].status == checks["model multilingual"].status == "info"
        assert checks["hub"].status == "info"

    def test_with_a_hub_that_answers_missing_files_are_a_warning(self, places: Places) -> None:
        from cbtui.host.doctor import models

        answering = subject(places, answer=hub.HubAnswer(asked=True, reachable=True, said="hub answers"))
        wanted, *others = models.check_models(answering)
        assert wanted.status == "warning"
        assert "3.2 GB" in wanted.detail
        assert {check.status for check in others} == {"info"}

    def test_a_hub_cache_with_some_of_the_files_names_the_others(self, places: Places, empty_hub_cache: Path) -> None:
        repository = empty_hub_cache / "models--ResembleAI--chatterbox"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("abc")
        (repository / "snapshots" / "abc").mkdir(parents=True)
        for name in FILES["english"]:
            (repository / "snapshots" / "abc" / name).write_bytes(b"" if name == WEIGHTS else b"content")
        assert look(places)["model english"].detail.startswith(f"{WEIGHTS} missing in ")
        (repository / "snapshots" / "abc" / WEIGHTS).write_bytes(b"content")
        assert look(places)["model english"].status == "ok"


class TestHub:
    @pytest.mark.usefixtures("silent_hub")
    def test_a_silent_hub_is_no_hub(self, places: Places) -> None:
        checks = look(places, offline=False)
        assert problems(checks) == ["model english"]
        assert checks["hub"].status == "warning"
        assert "127.0.0.1" in checks["hub"].detail

    def test_a_name_server_that_never_answers_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        let_go = threading.Event()
        monkeypatch.setattr(hub, "PATIENCE_SECONDS", 0.1)
        monkeypatch.setattr(hub, "_request", lambda _url: let_go.wait())
        answer = hub.ask("some/model")()
        let_go.set()
        assert not answer.reachable
        assert "no answer" in answer.said

    def test_a_refused_connection_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}/")
        answer = hub.ask("some/model")()
        assert answer.asked
        assert not answer.reachable

    def test_an_address_that_is_none_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "file:///etc")
        assert "HF_ENDPOINT" in hub.ask("some/model")().said

    def test_hf_hub_offline_is_respected(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        checks = look(places, offline=False)
        assert checks["hub"].detail == "was not asked, because HF_HUB_OFFLINE is set"
        assert checks["model english"].fix.startswith("Unset HF_HUB_OFFLINE")


class TestFolders:
    def test_a_file_where_the_output_folder_should_be(self, places: Places, model_dir: Path) -> None:
        places.output.write_text("in the way")
        checks = look(places, model_dir)
        assert problems(checks) == ["folder output"]
        assert "not a folder" in checks["folder output"].detail

    def test_a_folder_that_takes_no_files(self, places: Places) -> None:
        locked = Places(places.jobs, places.output, Path("/proc/cbtui"), places.cache, places.config)
        checks = {check.name: check for check in folders.check_folders(subject(locked))}
        assert problems(checks) == ["folder state"]
        assert "--state-dir" in checks["folder state"].fix

    def test_jobs_that_cannot_be_added_to_are_only_a_warning(self, places: Places) -> None:
        locked = Places(Path("/proc"), places.output, places.state, places.cache, places.config)
        checks = {check.name: check for check in folders.check_folders(subject(locked))}
        assert checks["folder jobs"].status == "warning"

    def test_a_link_to_nowhere_is_a_problem_of_its_folder_only(self, places: Places, model_dir: Path) -> None:
        places.output.symlink_to("/nowhere/at/all")
        assert problems(look(places, model_dir)) == ["folder output"]

    @pytest.mark.parametrize(
        ("free_gb", "download", "status"),
        [(0.05, False, "problem"), (2, False, "ok"), (2, True, "problem"), (4, True, "warning"), (9, True, "ok")],
    )
    def test_room_on_the_disk(
        self, free_gb: float, download: bool, status: str, places: Places, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=int(free_gb * 1e9)))
        monkeypatch.setattr(folders, "download_is_due", lambda _subject: download)
        assert {check.status for check in folders.check_disks(subject(places))} == {status}

    @pytest.mark.parametrize(("kind", "status"), [("ext4", "ok"), ("nfs4", "warning"), ("fuse.sshfs", "warning")])
    def test_a_queue_on_a_network_file_system_is_a_warning(
        self, kind: str, status: str, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mounts = [
            SimpleNamespace(mountpoint="/", fstype="ext4"),
            SimpleNamespace(mountpoint=str(tmp_path), fstype=kind),
        ]
        monkeypatch.setattr(psutil, "disk_partitions", lambda all: mounts)  # noqa: A006
        [check] = folders.check_state(subject(places))
        assert check.status == status


class TestEspeak:
    def test_asked_for_turns_what_chatterbox_lacks_into_information(self, places: Places) -> None:
        checks = look(places, engine="espeak")
        assert problems(checks) == []
        assert checks["model english"].status == "info"
        assert checks["espeak"].status == "ok"

    @pytest.mark.parametrize(("engine", "status"), [("espeak", "problem"), ("chatterbox", "info")])
    def test_missing_is_a_problem_only_when_asked_for(
        self, engine: str, status: str, places: Places, model_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "espeakng_loader", None)
        check = look(places, model_dir, engine=engine)["espeak"]
        assert (check.status, check.fix) == (status, 'pip install "cbtui[espeak]"')


def test_a_check_that_breaks_is_a_problem_and_the_others_go_on(
    places: Places, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_path: Path) -> None:
        raise RuntimeError("the unthinkable\nhappened")

    monkeypatch.setattr(folders, "file_system_type", break_down)
    checks = look(places, model_dir)
    assert problems(checks) == ["state"]
    assert checks["state"].detail == "the check state itself failed with RuntimeError: the unthinkable happened"
    assert checks["espeak"].status == "ok"


class TestCommand:
    @pytest.fixture
    def arguments(self, model_dir: Path) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        doctor.add_arguments(parser)
        common = argparse.Namespace(engine=None, model=None, model_dir=str(model_dir), device="cpu")
        return parser.parse_args(["--offline"], common)

    @pytest.fixture
    def canned(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        return lambda *checks: monkeypatch.setattr("cbtui.host.doctor.examine", lambda *_args, **_given: checks)

    def test_json_has_its_documented_shape(
        self, arguments: argparse.Namespace, places: Places, capfd: pytest.CaptureFixture[str]
    ) -> None:
        arguments.json = True
        assert doctor.run(arguments, places) == exits.DONE
        said = capfd.readouterr()
        answer = json.loads(said.out)
        assert said.err == ""
        assert set(answer) == {"version", "usable", "checks"}
        assert (answer["version"], answer["usable"]) == (1, True)
        assert all(set(check) == {"name", "status", "detail", "fix"} for check in answer["checks"])

    def test_text_ends_with_the_verdict(
        self, arguments: argparse.Namespace, places: Places, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert doctor.run(arguments, places) == exits.DONE
        lines = capfd.readouterr().out.splitlines()
        assert lines[-1] == "Rendering would work."
        assert "\x1b" not in "".join(lines)

    def test_problems_are_counted_and_end_with_status_3(
        self,
        arguments: argparse.Namespace,
        places: Places,
        canned: Callable[..., None],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        canned(Check("one", "problem", "broken", "mend it"), Check("second", "problem", "broken", "mend it"))
        assert doctor.run(arguments, places) == exits.UNAVAILABLE
        assert capsys.readouterr().out.splitlines() == [
            "✗ problem  one     broken",
            "                   -> mend it",
            "✗ problem  second  broken",
            "                   -> mend it",
            "Rendering would not work: 2 problems.",
        ]

    def test_an_ascii_terminal_gets_ascii_and_no_control_characters(
        self,
        arguments: argparse.Namespace,
        places: Places,
        canned: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        canned(Check("folder", "ok", "/home/jürgen/\x1b]52;c;\a/\udcff"))
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr(sys, "stdout", stream)
        doctor.run(arguments, places)
        written = stream.buffer.getvalue().decode("ascii")
        assert written.startswith("+ ok       folder  /home/j\\xfcrgen/")
        assert "\x1b" not in written

    @pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
    def test_a_terminal_gets_colour_unless_it_wants_none(
        self, no_colour: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", no_colour)
        monkeypatch.setenv("TERM", "xterm")
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda: True)
        lines = list(doctor._as_text([Check("one", "ok", "fine")], 0, stream))
        assert ("\x1b[32m" in lines[0]) is coloured

    def test_what_c_libraries_write_reaches_nobody(
        self,
        arguments: argparse.Namespace,
        places: Places,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        def noisy(*_args: object, **_given: object) -> tuple[Check, ...]:
            os.write(1, b"noise")
            os.write(2, b"noise")
            return (Check("one", "ok", "fine"),)

        monkeypatch.setattr("cbtui.host.doctor.examine", noisy)
        doctor.run(arguments, places)
        said = capfd.readouterr()
        assert "noise" not in said.out + said.err
        assert said.out.endswith("Rendering would work.\n")
