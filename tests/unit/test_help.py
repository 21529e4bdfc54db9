"""What `--help` says: of a command what is its own, of cbtui what all commands have."""

from __future__ import annotations

import pytest

from cbtui.cli import main

COMMON = ("--jobs-dir", "--state-dir", "--precision", "--log-level")


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_cbtui_tells_the_options_that_all_commands_have(capsys: pytest.CaptureFixture[str]) -> None:
    told = help_of(capsys)
    assert all(f"  {option}" in told for option in COMMON)


@pytest.mark.parametrize(
    ("command", "own"),
    [
        (("run",), "--mode"),
        (("add",), "--replace"),
        (("load",), "multilingual"),
        (("bench", "load"), "--rounds"),
        (("cache", "clear"), "--layer"),
    ],
)
def test_a_command_tells_its_own_and_where_the_others_are(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], own: str
) -> None:
    told = help_of(capsys, *command)
    assert own in told
    assert not any(option in told for option in COMMON[1:])
    assert "told by cbtui --help" in " ".join(told.split())


def test_common_options_are_heard_behind_a_command_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--batch", "none"])
    assert "argument --batch: must be a whole number" in capsys.readouterr().err
