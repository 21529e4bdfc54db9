"""`cbtui completion`: shells complete commands, options, files and names of tasks, as their scripts have it."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time

import pytest

from cbtui.host.store import open_store, store_path
from cbtui.paths import find_places
from tests.e2e.home import SECONDS, Home
from tests.host.store.helpers import put

SHELLS = ["bash", *(shell for shell in ("zsh", "fish") if shutil.which(shell))]

PROMPT = "what next> "

START = {
    "bash": ["--noprofile", "--norc", "-i"],
    "zsh": ["--no-rcs", "-i"],
    "fish": ["--no-config", "-i"],
}
# In two parts, so that the line that sets the prompt is not taken for the prompt itself.
PREPARE = {
    "bash": "source <(cbtui completion bash); PS1='what ''next> '\n",
    "zsh": "autoload -Uz compinit; compinit -u; source <(cbtui completion zsh); PS1='what ''next> '\n",
    "fish": "cbtui completion fish | source; function fish_prompt; echo -n 'what ''next> '; end\n",
}

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\(B")

ASK_BASH = """
source <(cbtui completion bash)
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete cbtui
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def home(home: Home) -> Home:
    """A user with `cbtui` on the PATH, some files, and a queue."""
    command = home.root / "bin" / "cbtui"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cbtui "$@"\n')
    command.chmod(0o755)
    home.environment.update(PATH=f"{command.parent}:{os.environ['PATH']}", TERM="xterm", LC_ALL="C.UTF-8")
    (home.root / "my text.txt").touch()
    (home.root / "my folder").mkdir()
    with open_store(store_path(find_places(jobs=str(home.jobs), state=str(home.state)))).store as store:
        put(store, "book/01", "book/02", "my book/chapter one", "my book/it's: $HOME [2]")
    return home


def ask_bash(home: Home, line: str) -> set[str]:
    """What bash is given for a line with the cursor at its end, each as it stands on the line."""
    ended = home.execute(["bash", "--noprofile", "--norc", "-c", ASK_BASH, "bash", line])
    assert ended.err == ""
    return {offered.rstrip() for offered in ended.out.splitlines()}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("cbtui comp", {"completion"}),
        ("cbtui run --mo", {"--mode", "--model", "--model-dir"}),
        ("cbtui run --model=t", {"turbo"}),
        ("cbtui --engine ", {"chatterbox", "espeak"}),
        ("cbtui cache cl", {"clear"}),
        ("cbtui completion ", set(START)),
        ("cbtui run my", {r"my\ text.txt", r"my\ folder/"}),
        ("cbtui --jobs-dir my", {r"my\ folder/"}),
        ("cbtui run --job m", {""}),
        ("cbtui --state-dir state cancel book/", {"book/01", "book/02"}),
        ("cbtui cancel --state-dir state book/01 my", {r"my\ book/chapter\ one", r"my\ book/it\'s:\ \$HOME\ \[2\]"}),
        ("cbtui --state-dir state move book/01 my\\ book/c", {r"my\ book/chapter\ one"}),
        ('cbtui --state-dir state cancel "my book/i', {r"my book/it's: \$HOME [2]"}),
        ("cbtui --state-dir state --jobs-dir elsewhere cancel book/", {""}),
    ],
)
def test_bash_is_answered(home: Home, line: str, offered: set[str]) -> None:
    assert ask_bash(home, line) == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_in_the_language_of_its_shell(home: Home, shell: str) -> None:
    script = home.root / "script"
    script.write_text(home.cbtui("completion", shell).out)
    ended = home.execute([shell, "-n", str(script)])
    assert (ended.status, ended.out, ended.err) == (0, "", "")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("cbtui compl", "cbtui completion "),
        ("true; cbtui run --jobs", "true; cbtui run --jobs-dir "),
        ("cbtui run my\\ t", r"cbtui run my\ text.txt "),
        ("cbtui --state-dir state cancel my\\ book/c", r"cancel my\ book/chapter\ one "),
        ("cbtui --state-dir state cancel 'my book/c", "cancel 'my book/chapter one' "),
        ("cbtui --state-dir state cancel my\\ book/i", r"cancel my\ book/it\'s:\ \$HOME\ \[2\] "),
        ("cbtui --state-dir ~/my\\ f", r"--state-dir ~/my\ folder/"),
    ],
)
def test_a_press_of_the_key_completes(home: Home, shell: str, typed: str, becomes: str) -> None:
    with Terminal(home, shell) as terminal:
        terminal.type(f"{typed}\t")
        terminal.wait_for(becomes)


def test_a_script_for_another_shell_is_wrong_usage(home: Home) -> None:
    ended = home.cbtui("completion", "tcsh")
    assert (ended.status, ended.out) == (2, "")


class Terminal:
    """A shell at a prompt, in a terminal of its own."""

    def __init__(self, home: Home, shell: str) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        self._process = subprocess.Popen(
            [shell, *START[shell]],
            cwd=home.root,
            env=home.variables(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # A shell wants the terminal to be that of its session, not just to have it open.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(theirs)
        self._shown = ""
        self.type(PREPARE[shell])
        self.wait_for(PROMPT)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until the terminal was sent this text, whatever its colours."""
        deadline = time.monotonic() + SECONDS
        while text not in self._shown:
            readable, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert readable, f"{text!r} did not come; there was:\n{self._shown}"
            self._shown = _COLOURS.sub("", self._shown + os.read(self._ours, 65536).decode("utf-8", "replace"))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
