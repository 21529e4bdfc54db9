"""What `cbtui doctor` says of this machine, and how."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cbtui.commands import doctor, exits
from cbtui.host.doctor import Check, examine, folders
from cbtui.paths import Places
from tests.host.doctor.looking import (
    look,
    problems,
)


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
