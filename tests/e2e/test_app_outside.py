"""What the real app gives away in a real terminal: the terminal itself to an editor, a path to the clipboard."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.home import Home
from tests.support.terminal import Terminal

EDITOR = """#!/bin/sh
echo "this is $0"
test -t 0 && test -t 1 && test -t 2 && echo 'on a terminal'
read line
echo "$line" > "$1"
"""


@pytest.fixture
def app(home: Home, tmp_path: Path) -> Iterator[Terminal]:
    """The app of a person who has an editor of their own and one rendered task."""
    editor = tmp_path / "an editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    home.write("hello.txt", "Hello there.")
    environment = {**home.variables(), "EDITOR": f"'{editor}'"}
    for name in ("VISUAL", "SSH_CONNECTION", "SSH_TTY"):
        environment.pop(name, None)
    command = home.command("--engine", "espeak")
    with Terminal(command, cwd=home.root, environment=environment) as terminal:
        terminal.until_shown("1 done", "jobs/hello")
        yield terminal


def test_the_editor_has_the_terminal_and_the_screen_comes_back(app: Terminal, home: Home) -> None:
    app.press("\r")
    app.until_shown("1 of 1 chunks", "the finished file")
    app.press("e")
    app.until_shown("this is", "on a terminal")
    assert b"\x1b[?1049l" in app.raw
    # The line is as it was before the app: it echoes, and ends lines.
    app.press("Hello anew, and longer.\r")
    app.until_shown("Hello anew, and longer.", "1 of 1 chunks")
    assert (home.jobs / "hello.txt").read_text() == "Hello anew, and longer.\n"
    app.press("q")
    app.until_shown("1 done")
    app.press("q")
    assert app.until_ended() == 0
    assert app.is_restored()


def test_a_path_goes_to_the_clipboard_of_the_person_s_own_terminal(app: Terminal, home: Home) -> None:
    app.press("y")
    app.until_shown("sent to the terminal's clipboard")
    data = app.raw.partition(b"\x1b]52;c;")[2].partition(b"\x07")[0]
    assert shlex.split(base64.b64decode(data).decode()) == [str(home.final("jobs/hello"))]
