"""Streams that are closed, gone or narrow change nothing about the work."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.home import SECONDS, Ended, Home, no_traceback

ASCII = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}


def _through_a_shell(home: Home, redirection: str, *arguments: str) -> Ended:
    return home.execute(["sh", "-c", f'"$@" {redirection}', "sh", *home.command(*arguments)])


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_run_with_closed_streams_renders(home: Home, redirection: str) -> None:
    home.write("a.yaml", "text: Hi.")
    home.write("b.yaml", "text: Ho.")
    ended = _through_a_shell(home, redirection, "run", "--engine", "espeak")
    assert no_traceback(ended)
    assert ended.status == 0
    assert home.final("jobs/a").read_bytes()[:4] == b"RIFF"
    assert home.final("jobs/b").read_bytes()[:4] == b"RIFF"


@pytest.mark.parametrize("arguments", [["cache", "info"], ["cache", "explain"], ["run", "--mode", "no"]])
def test_short_commands_with_closed_streams_end_without_a_traceback(home: Home, arguments: list[str]) -> None:
    assert no_traceback(_through_a_shell(home, ">&-", *arguments))
    assert no_traceback(_through_a_shell(home, "2>&-", *arguments))


def _without_a_reader(home: Home, stream: str, *arguments: str) -> Ended:
    """A call whose stdout or stderr is a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writing}
    try:
        ended = subprocess.run(
            home.command(*arguments),
            cwd=home.root,
            env=home.variables(),
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            **streams,
        )
    finally:
        os.close(writing)
    return Ended(ended.returncode, (ended.stdout or b"").decode(), (ended.stderr or b"").decode())


def test_a_reader_of_progress_that_has_gone_fails_no_task(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    home.write("b.yaml", "text: Ho.")
    ended = _without_a_reader(home, "stderr", "run", "--engine", "espeak")
    assert (ended.status, ended.results) == (0, ["done", "done"])


def test_a_reader_of_results_that_has_gone_is_no_error_of_ours(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    ended = _without_a_reader(home, "stdout", "run", "--engine", "espeak")
    assert no_traceback(ended)
    assert home.final("jobs/a").is_file()
    for arguments in (["cache", "info"], ["cache", "info", "--json"], ["--explain-cache"], ["--help"]):
        ended = _without_a_reader(home, "stdout", *arguments)
        assert no_traceback(ended)
        assert "BrokenPipe" not in ended.err


def test_a_terminal_of_ascii_gets_what_it_can_show(home: Home) -> None:
    narrow = replace(home, environment=ASCII)
    home.write("ümläut 🎉.yaml", "text: Grüße aus Köln.\nlanguage: de\nmodel: multilingual")
    home.write("bäd.yaml", "tëxt: Hi")
    ended = narrow.run()
    assert (ended.status, ended.results, no_traceback(ended)) == (2, ["done"], True)


@pytest.mark.parametrize("arguments", [["cache", "info"], ["cache", "info", "--json"], ["cache", "explain"]])
def test_a_terminal_of_ascii_gets_what_the_caches_hold(home: Home, arguments: list[str]) -> None:
    narrow = replace(home, environment=ASCII)
    ended = narrow.cbtui(*arguments, "--state-dir", "zustände")
    assert (ended.status, no_traceback(ended)) == (0, True)


def test_nothing_but_results_is_on_stdout(home: Home) -> None:
    home.write("a.yaml", "text: Hi.")
    home.write("b.yaml", "text: [broken")
    ended = home.run()
    assert [line.split()[:2] for line in ended.out.splitlines()] == [["done", "jobs/a"]]
    assert "\x1b" not in ended.out + ended.err
    assert "\r" not in ended.out + ended.err
