"""A Python without any package: what is missing is said in a line, and help is given all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cbtui

CLONE = Path(cbtui.__file__).parents[1]


def bare(*command: str) -> subprocess.CompletedProcess[str]:
    # Without `site`, nothing that is installed is found.
    return subprocess.run(
        [sys.executable, "-S", "-m", "cbtui", *command], cwd=CLONE, capture_output=True, text=True, check=False
    )


def test_a_command_says_which_package_is_missing_and_what_to_run() -> None:
    told = bare("status")
    assert told.returncode == 2
    assert told.stdout == ""
    (line,) = told.stderr.splitlines()
    assert "needs the package platformdirs" in line
    assert "make setup" in line


def test_help_needs_no_package() -> None:
    told = bare("--help")
    assert told.returncode == 0
    assert "usage: cbtui" in told.stdout
