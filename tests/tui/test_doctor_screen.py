"""The screen of the doctor, over children that say what a test wants, and over the real one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from cbtui.paths import Places
from cbtui.tui.app import Options
from cbtui.tui.screens import doctor
from cbtui.tui.screens.doctor import DoctorScreen, doctor_command, read_checks
from cbtui.tui.screens.queue import QueueScreen
from tests.tui.support import Screened, screened

pytestmark = pytest.mark.asyncio

CHECKS = [
    {"name": "python", "status": "ok", "detail": "Python 3.11", "fix": ""},
    {"name": "[red]model", "status": "problem", "detail": "open [b of [/]\x1b[2J", "fix": "pip install '[x]'\x07"},
    {"name": "hub", "status": "warning", "detail": "slow", "fix": "wait"},
]


def say(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(doctor, "doctor_command", lambda places, given: [sys.executable, "-c", program])


def answer(monkeypatch: pytest.MonkeyPatch, checks: list[dict[str, str]]) -> None:
    say(monkeypatch, f"print({json.dumps({'version': 1, 'usable': False, 'checks': checks})!r})")


async def opened(shown: Screened, text: str) -> None:
    await shown.press("D")
    await shown.until(lambda: isinstance(shown.app.screen, DoctorScreen), "the doctor")
    await shown.until(lambda: text in shown.text(), text)


async def test_checks_and_fixes_are_shown_as_they_are(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, CHECKS)
    async with screened(places, host=False, size=(60, 20)) as shown:
        await opened(shown, "Rendering would not work: 1 problem.")
        text = shown.text()
        for line in (
            "✓ ok      python: Python 3.11",
            "✗ problem [red]model: open [b of [/]�[2J",
            "! warning hub: slow",
        ):
            assert line in text
        assert "-> pip install '[x]'�" in text


async def test_y_copies_the_fix_under_the_cursor(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, CHECKS)
    async with screened(places, host=False) as shown:
        await opened(shown, "1 problem")
        await shown.press("y")
        assert shown.app.clipboard == "pip install '[x]'�"
        await shown.press("down", "y")
        assert shown.app.clipboard == "wait"
        await shown.press("up", "up", "y")
        await shown.until(lambda: "nothing to mend here" in shown.text(), "the answer")
        assert shown.app.clipboard == "wait"


async def test_r_looks_again(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, CHECKS)
    async with screened(places, host=False) as shown:
        await opened(shown, "1 problem")
        answer(monkeypatch, CHECKS[:1])
        await shown.press("r")
        await shown.until(lambda: "Rendering would work." in shown.text(), "the new look")
        assert "[red]model" not in shown.text()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('it [/] broke')", "it [/] broke"),
        ("import os; os._exit(7)", "it ended with status 7"),
        ("print('{\"checks\": 3}')", "it ended with status 0"),
    ],
)
async def test_a_doctor_that_breaks_is_a_finding(
    places: Places, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    say(monkeypatch, program)
    async with screened(places, host=False) as shown:
        await opened(shown, f"doctor: the checks did not come to an end: {said}")


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_leaving_ends_the_child(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    pid = tmp_path / "pid"
    say(monkeypatch, f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    async with screened(places, host=False) as shown:
        await opened(shown, "looking")
        await shown.until(lambda: pid.exists() and pid.read_text(), "the child")
        await shown.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, QueueScreen), "the queue")
        await shown.until(lambda: not Path(f"/proc/{pid.read_text()}").exists(), "the child's end")


async def test_the_child_gets_the_options_of_this_process(places: Places) -> None:
    command = doctor_command(places, {"device": "cuda:1", "model_dir": "/m [/]", "jobs_dir": "elsewhere"})
    assert command[:6] == [sys.executable, "-m", "cbtui", "doctor", "--json", "--offline"]
    assert sorted(command[6:]) == ["--device=cuda:1", f"--jobs-dir={places.jobs}", "--model-dir=/m [/]"]


async def test_what_is_no_check_is_a_finding() -> None:
    (check,) = read_checks('{"checks": [{"name": 1}]}', "", 0)
    assert check.status == "problem"
    (check,) = read_checks(json.dumps({"checks": [{"name": 1, "status": "odd", "detail": 2, "fix": None}]}), "", 0)
    assert (check.name, check.status) == ("1", "info")


async def test_the_real_doctor_is_understood(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setitem(os.environ, name, str(tmp_path / "home"))
    options = Options(rate=20.0, given={"engine": "espeak", "state_dir": str(places.state)})
    monkeypatch.setattr("tests.tui.support.DEADLINE", 120.0)
    async with screened(places, host=False, options=options) as shown:
        await opened(shown, f"folder jobs: {places.jobs}")
        assert "espeak: " in shown.text()
