"""`--theme` on the command line."""

from __future__ import annotations

import argparse

import pytest

from cbtui.cli import main
from cbtui.commands import app


@pytest.mark.parametrize(
    ("given", "theme"),
    [
        ([], None),
        (["--theme", "amber"], "amber"),
        (["--theme=amber", "--ascii"], "amber"),
        (["--engine", "espeak", "--theme", "amber", "--fps", "2"], "amber"),
        (["--theme", "amber", "."], "amber"),
        ([".", "--theme", "amber"], "amber"),
        (["app", "--theme", "amber"], "amber"),
    ],
)
def test_it_stands_anywhere(monkeypatch: pytest.MonkeyPatch, given: list[str], theme: str | None) -> None:
    seen: list[argparse.Namespace] = []
    monkeypatch.setattr(app, "run", lambda arguments, places: seen.append(arguments) or 0)
    assert main(given) == 0
    assert [(each.command, each.theme) for each in seen] == [("app", theme)]
