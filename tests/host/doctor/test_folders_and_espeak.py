"""Folders, disks and the draft voice."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from cbtui.host.doctor import folders
from cbtui.paths import Places
from tests.host.doctor.looking import (
    look,
    problems,
    subject,
)


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
        assert (check.status, check.fix) == (status, "pip install espeakng-loader")
